import COpenSSL

/// Hashes and MACs of libcrypto.
package enum SHA256 {
    package static let byteCount = 32

    /// Looked up once: libcrypto 3 otherwise searches its providers for every digest.
    ///
    /// `nonisolated(unsafe)` holds because a fetched algorithm is immutable and made for use by many threads.
    nonisolated(unsafe) private static let algorithm = EVP_MD_fetch(nil, "SHA256", nil)

    package static func digest(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            var length: UInt32 = 0
            let result = EVP_Digest(bytes, bytes.count, buffer.baseAddress, &length, algorithm, nil)
            precondition(result == 1, "libcrypto has no SHA-256")
            count = Int(length)
        }
    }

    /// `sha256:` and 64 lower-case hexadecimal digits: how digests are written in events and answers.
    package static func text(_ bytes: [UInt8]) -> String { "sha256:" + hex(bytes) }

    /// 64 lower-case hexadecimal digits.
    package static func hex(_ bytes: [UInt8]) -> String { HexText.of(digest(bytes)) }
}

/// SHA-256 of bytes that come in pieces.
///
/// `@unchecked Sendable` holds because one owner at a time feeds it; it is handed over, never shared.
package final class RunningSHA256: @unchecked Sendable {
    private let context = EVP_MD_CTX_new()

    package init() { EVP_DigestInit_ex(context, EVP_sha256(), nil) }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: ArraySlice<UInt8>) {
        bytes.withUnsafeBytes { _ = EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    }

    /// 64 lower-case hexadecimal digits; nothing may be added afterwards.
    package func hex() -> String {
        HexText.of(
            [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, count in
                var length: UInt32 = 0
                EVP_DigestFinal_ex(context, buffer.baseAddress, &length)
                count = Int(length)
            })
    }
}

package enum SHA1 {
    /// For UUIDv5 only: SHA-1 protects nothing.
    package static func digest(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
            _ = COpenSSL.SHA1(bytes, bytes.count, buffer.baseAddress)
            count = 20
        }
    }
}

package enum HMACSHA256 {
    package static func hex(_ bytes: [UInt8], key: [UInt8]) -> String {
        HexText.of(
            [UInt8](unsafeUninitializedCapacity: SHA256.byteCount) { buffer, count in
                var length: UInt32 = 0
                _ = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, buffer.baseAddress, &length)
                count = Int(length)
            })
    }
}

/// Comparing secrets without telling by the time taken where they differ.
package enum ConstantTime {
    package static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }

    package static func equal(_ left: String, _ right: String) -> Bool { equal(Array(left.utf8), Array(right.utf8)) }
}

enum HexText {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Nil for an odd number of digits, and for anything but lower-case ones.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let values = text.utf8.map { digits.firstIndex(of: $0) }
        guard values.count.isMultiple(of: 2), !values.contains(nil) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8((values[$0] ?? 0) << 4 | (values[$0 + 1] ?? 0)) }
    }

    static func of(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[index * 2] = digits[Int(byte >> 4)]
                buffer[index * 2 + 1] = digits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }
}
