-- The one write. KEYS: the record | and where this script writes the index as well: the set for purging | the listings
-- ARGV: its version and retain_until | the expected version, '' for none | the digest of its columns and its body
--   | the nonce of its place, '' where that of the stored record must do | milliseconds to its expiry, '' for none
--   | with an index: its retain_until | its entry for purging | its name in the listings
-- Answers: 0 stale | 1 written | 2 the columns differ, index them first | 3 stale, but the stored nonce is this one
--   | {4, nonce} delivered before | {5, nonce} written, and to be purged earlier than before
local stored = redis.call('GETRANGE', KEYS[1], 0, 39)
local version = string.sub(stored, 1, 16)
if version == ARGV[2] then
    local nonce = ARGV[4]
    if nonce == '' then
        if string.sub(stored, 33) ~= string.sub(ARGV[3], 1, 8) then return 2 end
        nonce = string.sub(stored, 25, 32)
    end
    -- Before the record: what is refused here ends the script.
    if #KEYS > 1 then redis.call('ZADD', KEYS[2], 'LT', ARGV[6], ARGV[7]) end
    for listing = 3, #KEYS do redis.call('ZADD', KEYS[listing], 0, ARGV[8]) end
    local value = ARGV[1] .. nonce .. ARGV[3]
    if ARGV[5] == '' then
        redis.call('SET', KEYS[1], value)
    else
        redis.call('SET', KEYS[1], value, 'PX', ARGV[5])
    end
    local was, is = string.sub(stored, 17, 24), string.sub(ARGV[1], 17)
    if was == is or was == '' or not before(is, was) then return 1 end
    return {5, nonce}
end
if version == string.sub(ARGV[1], 1, 16) then
    -- Changes nothing, but goes to the replicas, so that there is something to wait for.
    redis.call('SETRANGE', KEYS[1], 0, version)
    return {4, string.sub(stored, 25, 32)}
end
-- Changes nothing, and is refused by a server that is no primary any more: what it stores may be of the past.
redis.call('SETRANGE', KEYS[1], 0, '')
if ARGV[4] ~= '' and string.sub(stored, 25, 32) == ARGV[4] then return 3 end
return 0
