-- The one write. KEYS: the record.
-- ARGV: its version, the expected one ('' for none), retain_until, place (nonce and digest of the columns), body,
--   whether that place is indexed ('1') or the stored one must do ('0'), the slack of the expiry in milliseconds ('' for none)
-- Answers: 0 stale | 1 written | 2 the place must be indexed first | 3 stale, but the stored place is this one
--   | {4, nonce} delivered before | {5, nonce} written, and to be purged earlier than before
local stored = redis.call('GETRANGE', KEYS[1], 0, 39)
local version = string.sub(stored, 1, 16)
local place = string.sub(stored, 25, 40)
if version == ARGV[1] then
    -- Changes nothing, but goes to the replicas, so that there is something to wait for.
    redis.call('SETRANGE', KEYS[1], 0, version)
    return {4, string.sub(place, 1, 8)}
end
if version ~= ARGV[2] then
    if string.sub(place, 1, 8) == string.sub(ARGV[4], 1, 8) then return 3 end
    return 0
end
if ARGV[6] == '1' then
    place = ARGV[4]
elseif string.sub(place, 9) ~= string.sub(ARGV[4], 9) then
    return 2
end
local value = ARGV[1] .. ARGV[3] .. place .. ARGV[5]
if ARGV[7] == '' then
    redis.call('SET', KEYS[1], value)
else
    -- Milliseconds since the epoch, exact below 2^53; the sign is flipped so that the bytes sort.
    local retain_until = -2^63
    for byte = 1, 8 do retain_until = retain_until + string.byte(ARGV[3], byte) * 256 ^ (8 - byte) end
    local time = redis.call('TIME')
    if retain_until > time[1] * 1000 then
        redis.call('SET', KEYS[1], value, 'PXAT', string.format('%.0f', retain_until + ARGV[7]))
    else
        redis.call('SET', KEYS[1], value)
    end
end
if stored ~= '' and before(ARGV[3], string.sub(stored, 17, 24)) then return {5, string.sub(place, 1, 8)} end
return 1
