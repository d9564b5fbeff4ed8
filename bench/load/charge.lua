-- One charge after another at the peer, of a card that it knows.
-- Arguments: the payment method.

require("report")

function init(arguments)
  wrk.method = "POST"
  wrk.path = "/v1/charges"
  wrk.headers["content-type"] = "application/x-www-form-urlencoded"
  wrk.headers["authorization"] = "Bearer sk_test_12345"
  wrk.body = "amount=1250&currency=usd&source=" .. arguments[1]
end

function response(status, headers, body)
  count(status == 200 and body:find('"succeeded"', 1, true) ~= nil, true, status, body)
end
