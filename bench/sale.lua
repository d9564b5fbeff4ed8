-- One sale after another, each an order of its own; counts what was approved.
-- Arguments: a prefix for the orders, the client id, the API key.

local threads = {}
local number = 0

function setup(thread)
  thread:set("id", #threads + 1)
  table.insert(threads, thread)
end

function init(arguments)
  prefix, approved, refused, first_refused = arguments[1], 0, 0, ""
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  wrk.headers["netvalve-client-id"] = arguments[2]
  wrk.headers["netvalve-api-key"] = arguments[3]
end

function request()
  number = number + 1
  return wrk.format(nil, "/sale", nil, string.format(
    '{"midId": 1, "amount": 12.50, "currency": "USD", "paymentType": "CARD", ' ..
    '"clientOrderId": "%s-%d-%d", "cardNumber": "4012000098765439", ' ..
    '"cardExpireMonth": "12", "cardExpireYear": "2030", "cardSecurityCode": "999", ' ..
    '"cardHolderName": "Ada Lovelace", "customerEmail": "ada@example.com", ' ..
    '"customerFirstName": "Ada", "customerLastName": "Lovelace", ' ..
    '"customerAddress": "12 Main Street", "customerZipCode": "10001", ' ..
    '"customerCity": "New York", "customerCountryCode": "US", "customerIp": "192.0.2.7"}',
    prefix, id, number))
end

function response(status, headers, body)
  if status == 200 and body:find('"GTW_1000"', 1, true) then
    approved = approved + 1
  else
    refused = refused + 1
    if first_refused == "" then first_refused = status .. " " .. body:sub(1, 200) end
  end
end

function done(summary, latency, requests)
  local good, bad, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    good, bad = good + thread:get("approved"), bad + thread:get("refused")
    if example == "" then example = thread:get("first_refused") end
  end
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"approved": %d, "refused": %d, "seconds": %.6f, "p50_ms": %.3f, "p90_ms": %.3f, ' ..
    '"p99_ms": %.3f, "p999_ms": %.3f, "max_ms": %.3f, "socket_errors": %d}\n',
    good, bad, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
    latency:percentile(99.9) / 1e3, latency.max / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout))
  if example ~= "" then io.write("REFUSED " .. example .. "\n") end
end
