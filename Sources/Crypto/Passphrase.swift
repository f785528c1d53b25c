import COpenSSL

/// RFC 7914: a key from a passphrase, expensive in memory as well as in time.
package enum Scrypt {
    /// What the work costs: `128 * n * r` bytes of memory, and time in proportion to `n * r * p`.
    package struct Cost: Hashable, Sendable {
        /// The binary logarithm of RFC 7914's N.
        package var logN: Int
        package var r: Int
        package var p: Int

        package init(logN: Int, r: Int, p: Int) { (self.logN, self.r, self.p) = (logN, r, p) }

        /// About 60 ms and 32 MiB on one core of 2024.
        package static let standard = Cost(logN: 15, r: 8, p: 1)

        /// The most that a stored hash may ask for: 256 MiB.
        fileprivate static let memoryBytesMax = 256 << 20
        fileprivate var memoryBytes: Int { 128 * r * ((1 << logN) + p + 2) }

        fileprivate var isUsable: Bool {
            (1...24).contains(logN) && (1...32).contains(r) && (1...16).contains(p)
                && memoryBytes <= Self.memoryBytesMax
        }
    }

    /// - Returns: Nil for a cost that libcrypto refuses, or without memory for it.
    package static func key(_ passphrase: [UInt8], salt: [UInt8], _ cost: Cost, byteCount: Int) -> [UInt8]? {
        guard cost.isUsable else { return nil }
        var key = [UInt8](repeating: 0, count: byteCount)
        let result = passphrase.withUnsafeBytes { passphrase in
            EVP_PBE_scrypt(
                passphrase.baseAddress?.assumingMemoryBound(to: CChar.self), passphrase.count, salt, salt.count,
                UInt64(1) << UInt64(cost.logN), UInt64(cost.r), UInt64(cost.p),
                UInt64(cost.memoryBytes + (1 << 20)), &key, byteCount)
        }
        return result == 1 ? key : nil
    }
}

/// A passphrase as it is kept: scrypt's key, with salt and cost beside it, so that a later release may ask for more.
///
/// As text it is a PHC string: `$scrypt$ln=15,r=8,p=1$<salt>$<key>`, both in lower-case hexadecimal.
package struct PassphraseHash: Hashable, Sendable {
    package static let saltBytes = 16
    package static let keyBytes = 32

    private var cost: Scrypt.Cost
    private var salt: [UInt8]
    private var key: [UInt8]

    /// Hashes; takes as long as the cost says, so never on a thread that others wait for.
    /// - Parameter salt: ``saltBytes`` random bytes.
    /// - Returns: Nil when there is no memory for it.
    package init?(of passphrase: String, salt: [UInt8], cost: Scrypt.Cost = .standard) {
        guard let key = Scrypt.key(Array(passphrase.utf8), salt: salt, cost, byteCount: Self.keyBytes) else {
            return nil
        }
        self.init(cost: cost, salt: salt, key: key)
    }

    /// Matches nothing that anybody can find, as slowly as a real one.
    package static func placeholder(salt: [UInt8]) -> PassphraseHash {
        PassphraseHash(cost: .standard, salt: salt, key: [UInt8](repeating: 0, count: keyBytes))
    }

    private init(cost: Scrypt.Cost, salt: [UInt8], key: [UInt8]) {
        precondition(salt.count == Self.saltBytes, "a salt has \(Self.saltBytes) bytes")
        (self.cost, self.salt, self.key) = (cost, salt, key)
    }

    /// Reads what ``text`` wrote; nil for anything else, and for a cost beyond reason.
    package init?(text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        let numbers = zip(["ln=", "r=", "p="], parts[2].split(separator: ",")).map { prefix, part in
            part.hasPrefix(prefix) ? Int(part.dropFirst(prefix.count)) : nil
        }
        guard numbers.count == 3, let logN = numbers[0], let r = numbers[1], let p = numbers[2] else { return nil }
        cost = Scrypt.Cost(logN: logN, r: r, p: p)
        guard cost.isUsable, let salt = HexText.bytes(parts[3]), let key = HexText.bytes(parts[4]),
            salt.count == Self.saltBytes, key.count == Self.keyBytes
        else { return nil }
        (self.salt, self.key) = (salt, key)
    }

    package var text: String {
        "$scrypt$ln=\(cost.logN),r=\(cost.r),p=\(cost.p)$\(HexText.of(salt))$\(HexText.of(key))"
    }

    /// Whether this is the passphrase; as expensive as hashing it, and as slow for a wrong one as for the right one.
    package func matches(_ passphrase: String) -> Bool {
        guard let other = Scrypt.key(Array(passphrase.utf8), salt: salt, cost, byteCount: Self.keyBytes) else {
            return false
        }
        return ConstantTime.equal(key, other)
    }
}
