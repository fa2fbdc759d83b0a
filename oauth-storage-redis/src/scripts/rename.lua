-- An entry of a sorted set gets another name and score, if it is still there. KEYS: the set. ARGV: old, new, score.
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 then redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2]) end
return 1
