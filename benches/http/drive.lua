-- wrk -t1 -s drive.lua URL -- FILE TOTAL AUTHORIZATION
-- Sends the lines of FILE as forms, each once and in order; over and over when there is a single line. After TOTAL
-- requests it stops. A line is the body of a POST; with a bearer token the request is a GET without a body.
-- Prints "requests N failed N".

local ffi = require("ffi")
ffi.cdef("int kill(int pid, int signal); int getpid(void);")

local forms, total, sent = {}, 0, 0

function init(args)
  total = tonumber(args[2])
  local authorization = args[3]
  local common = " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\nAuthorization: " .. authorization .. "\r\n"
  local post = "POST " .. wrk.path .. common .. "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
  if authorization:find("^Bearer ") then
    forms[1] = "GET " .. wrk.path .. common .. "\r\n"
    return
  end
  for line in io.lines(args[1]) do
    forms[#forms + 1] = post .. #line .. "\r\n\r\n" .. line
  end
end

function request()
  local form = forms[sent % #forms + 1]
  sent = sent + 1
  if sent == total then
    wrk.thread:stop()
    -- wrk's main thread sleeps for the whole duration unless it is interrupted.
    ffi.C.kill(ffi.C.getpid(), 2)
  end
  return form
end

function done(summary, latency, requests)
  io.write(string.format("requests %d failed %d\n", summary.requests, summary.errors.status + summary.errors.read
    + summary.errors.write + summary.errors.timeout + summary.errors.connect))
end
