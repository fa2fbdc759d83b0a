-- Byte by byte: the comparison of strings depends on the server's locale.
local function before(left, right)
    for byte = 1, 8 do
        local l, r = string.byte(left, byte), string.byte(right, byte)
        if l ~= r then return l < r end
    end
    return false
end
