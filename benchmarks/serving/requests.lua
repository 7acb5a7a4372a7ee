-- wrk -s requests.lua URL -- USERS BODY: posts BODY with %s replaced by a line of the file USERS at random, and prints
-- the result as one JSON line.
local bodies, count, place = {}, 0, 0

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  math.randomseed(42)
  for line in io.lines(arguments[1]) do
    count = count + 1
    bodies[count] = string.format(arguments[2], line)
  end
end

function request()
  return wrk.format(nil, nil, nil, bodies[math.random(count)])
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "errors": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
