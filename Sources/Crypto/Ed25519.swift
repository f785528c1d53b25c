import COpenSSL

/// Signatures of RFC 8032, by libcrypto.
///
/// `@unchecked Sendable` holds because the key is never changed after it was made.
package final class Ed25519: @unchecked Sendable {
    package static let seedBytes = 32
    package static let signatureBytes = 64

    private let key: OpaquePointer

    /// Nil if the seed is not 32 bytes.
    package init?(seed: [UInt8]) {
        guard seed.count == Self.seedBytes,
            let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
        else { return nil }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    /// 32 bytes.
    package var publicKey: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            count = 32
            precondition(EVP_PKEY_get_raw_public_key(key, buffer.baseAddress, &count) == 1, "the key has a public one")
        }
    }

    package func sign(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        return [UInt8](unsafeUninitializedCapacity: Self.signatureBytes) { buffer, count in
            count = Self.signatureBytes
            precondition(
                EVP_DigestSignInit(context, nil, nil, nil, key) == 1
                    && EVP_DigestSign(context, buffer.baseAddress, &count, message, message.count) == 1,
                "libcrypto signs with a key it has taken")
        }
    }

    package static func verify(_ signature: [UInt8], of message: [UInt8], by publicKey: [UInt8]) -> Bool {
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count) else {
            return false
        }
        let context = EVP_MD_CTX_new()
        defer {
            EVP_MD_CTX_free(context)
            EVP_PKEY_free(key)
        }
        return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
