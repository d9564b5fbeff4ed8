-- One operation of the gateway, again and again.
-- Arguments: the operation, a prefix for new orders, the client id, the API key,
-- a file with the transactions that it is about, a file to add its sales to.

require("report")

local SALE = io.open("sale.json"):read("*l")
local OF_TRANSACTION = '{"transactionID": %s, "amount": 12.50}'

local operations, operation = {}, nil
local number, known, turn, waiting, sold = 0, {}, 0, {}, nil

local function charge(path)
  number = number + 1
  return wrk.format("POST", path, nil, string.format(SALE, prefix .. "-" .. id .. "-" .. number))
end

-- The next of the transactions, from the first again after the last.
local function next_known()
  turn = turn % #known + 1
  return known[turn]
end

local function money(status, body)
  return status == 200 and body:find('"GTW_1000"', 1, true) ~= nil
end

local function found(status)
  return status == 200
end

operations["sale"] = {
  request = function() return charge("/sale") end,
  good = money,
  answered = function(body)
    if sold then sold:write(body:match('"transactionID":(%d+)'), "\n") end
    return true
  end,
}

-- Each approved authorization is captured as soon as a connection is free; a pair counts as one.
operations["authorize + capture"] = {
  request = function()
    local transaction = table.remove(waiting)
    if not transaction then return charge("/authorize") end
    return wrk.format("POST", "/capture", nil, string.format(OF_TRANSACTION, transaction))
  end,
  good = money,
  answered = function(body)
    if body:find('"CAPTURE"', 1, true) then return true end
    table.insert(waiting, body:match('"transactionID":(%d+)'))
    return false
  end,
}

-- Each sale once: there must be enough of them.
operations["refund"] = {
  request = function()
    return wrk.format("POST", "/refund", nil, string.format(OF_TRANSACTION, next_known()))
  end,
  good = money,
}

operations["rebill"] = {
  request = function()
    return wrk.format("POST", "/rebill", nil, string.format(OF_TRANSACTION, next_known()))
  end,
  good = money,
}

operations["inquiry"] = {
  request = function() return wrk.format("GET", "/inquiry?transactionId=" .. next_known()) end,
  good = money,
}

operations["/transaction"] = {
  request = function() return wrk.format("GET", "/transaction?id=" .. next_known()) end,
  good = found,
}

operations["/orders"] = {
  request = function() return wrk.format("GET", "/orders?page=0&pageSize=20") end,
  good = found,
}

function init(arguments)
  operation, prefix = operations[arguments[1]], arguments[2]
  wrk.headers["content-type"] = "application/json"
  wrk.headers["netvalve-client-id"] = arguments[3]
  wrk.headers["netvalve-api-key"] = arguments[4]
  for line in io.lines(arguments[5]) do table.insert(known, line) end
  if arguments[6] then sold = io.open(arguments[6], "a") end
end

function request()
  return operation.request()
end

function response(status, headers, body)
  local good = operation.good(status, body)
  local whole = good and (not operation.answered or operation.answered(body))
  count(good, whole, status, body)
end
