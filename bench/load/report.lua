-- What every script tells at its end, in one line: how many were well answered, and how fast.

local threads = {}

function setup(thread)
  thread:set("id", #threads + 1)
  table.insert(threads, thread)
end

-- Counts an answer: `done` are the operations of the report, `approved` all that moved money.
done_count, approved, refused, first_refused = 0, 0, 0, ""

function count(good, operation, status, body)
  if not good then
    refused = refused + 1
    if first_refused == "" then first_refused = status .. " " .. body:sub(1, 200) end
    return
  end
  approved = approved + 1
  if operation then done_count = done_count + 1 end
end

function done(summary, latency, requests)
  local operations, good, bad, example = 0, 0, 0, ""
  for _, thread in ipairs(threads) do
    operations = operations + thread:get("done_count")
    good, bad = good + thread:get("approved"), bad + thread:get("refused")
    if example == "" then example = thread:get("first_refused") end
  end
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"done": %d, "approved": %d, "refused": %d, "seconds": %.6f, "p50_ms": %.3f, ' ..
    '"p99_ms": %.3f, "p999_ms": %.3f, "max_ms": %.3f, "socket_errors": %d}\n',
    operations, good, bad, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout))
  if example ~= "" then io.write("REFUSED " .. example .. "\n") end
end
