/// Identifiers that sort by the time they were made (github.com/ulid/spec; UUIDv7 is RFC 9562, 5.7).
package enum ULID {
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// 26 characters of Crockford base32: 48 bits of milliseconds, 80 random bits.
    package static func text(milliseconds: Int64, random: [UInt8]) -> String {
        precondition(random.count == 10, "a ULID needs 10 random bytes")
        return String(unsafeUninitializedCapacity: 26) { buffer in
            var time = UInt64(clamping: milliseconds)
            for index in stride(from: 9, through: 0, by: -1) {
                buffer[index] = alphabet[Int(time & 31)]
                time >>= 5
            }
            for half in 0..<2 {
                var bits = random[half * 5..<half * 5 + 5].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                for index in stride(from: 17 + half * 8, through: 10 + half * 8, by: -1) {
                    buffer[index] = alphabet[Int(bits & 31)]
                    bits >>= 5
                }
            }
            return 26
        }
    }
}

/// UUIDs as text, lower case.
package enum UUIDText {
    /// Version 7: 48 bits of milliseconds, then random, so that the index of events grows at its end.
    package static func version7(milliseconds: Int64, random: [UInt8]) -> String {
        precondition(random.count == 10, "a UUIDv7 needs 10 random bytes")
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * Int64($0))) } + random
        bytes[6] = bytes[6] & 0x0F | 0x70
        bytes[8] = bytes[8] & 0x3F | 0x80
        return text(bytes)
    }

    /// Version 4: all random.
    package static func version4(random: [UInt8]) -> String {
        precondition(random.count == 16, "a UUIDv4 needs 16 random bytes")
        var bytes = random
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        return text(bytes)
    }

    /// Version 5 from an SHA-1 digest over namespace and name.
    package static func version5(sha1: [UInt8]) -> String {
        var bytes = Array(sha1.prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x50
        bytes[8] = bytes[8] & 0x3F | 0x80
        return text(bytes)
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            var end = 0
            for (index, byte) in bytes.enumerated() {
                // 8-4-4-4-12 digits.
                if index == 4 || index == 6 || index == 8 || index == 10 {
                    buffer[end] = UInt8(ascii: "-")
                    end += 1
                }
                buffer[end] = Hex.digits[Int(byte >> 4)]
                buffer[end + 1] = Hex.digits[Int(byte & 15)]
                end += 2
            }
            return end
        }
    }
}

/// Bytes as lower-case hexadecimal.
package enum Hex {
    fileprivate static let digits = Array("0123456789abcdef".utf8)

    package static func text(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            var index = 0
            for byte in bytes {
                buffer[index] = digits[Int(byte >> 4)]
                buffer[index + 1] = digits[Int(byte & 15)]
                index += 2
            }
            return index
        }
    }

    /// The bytes, or nil if the text is not pairs of hexadecimal digits.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = text.utf8.map { digit -> UInt8? in
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
            default: nil
            }
        }
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0]! << 4 | digits[$0 + 1]! }
    }
}
