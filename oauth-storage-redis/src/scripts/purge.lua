-- Deletes a record that is past its time. KEYS: the record. ARGV: the nonce of its place, now.
-- Answers: 0 no record is stored at that place | 1 deleted | its retain_until, which is not past
local head = redis.call('GETRANGE', KEYS[1], 16, 31)
if string.sub(head, 9, 16) ~= ARGV[1] then return 0 end
local retain_until = string.sub(head, 1, 8)
if not before(retain_until, ARGV[2]) then return retain_until end
redis.call('DEL', KEYS[1])
return 1
