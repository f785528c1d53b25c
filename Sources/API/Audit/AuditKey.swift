import Crypto
import Platform
import Shared

/// What checkpoints and exports are signed with: a 0600 file of the data directory, or a systemd credential, made at the
/// first start. Not in `audit/`: a restore puts that aside, and whoever keeps the public key keeps it.
struct AuditKey: Sendable {
    static let fileName = "audit.key"

    private let key: Ed25519
    /// Stands for this key's logs, and is no address.
    let base: String

    /// - Throws: ``StartFailure`` when the file holds no key.
    init(dataDirectory: String, credentialsDirectory: String?, _ entropy: any Entropy) throws {
        let credential = credentialsDirectory.map { "\($0)/\(Self.fileName)" }.flatMap { Files.exists($0) ? $0 : nil }
        let path = credential ?? "\(dataDirectory)/\(Self.fileName)"
        let text = try DataDirectory.secret(path, entropy) { Hex.text($0) }
        guard let seed = Hex.bytes(text), let key = Ed25519(seed: seed) else {
            throw StartFailure("\(path): expected 64 hexadecimal digits, found \(text.utf8.count) other bytes")
        }
        self.key = key
        base = "agentos.local/\(SHA256.hex(key.publicKey).prefix(16))"
    }

    init(_ configuration: APIConfiguration, _ entropy: any Entropy) throws {
        try self.init(
            dataDirectory: configuration.dataDirectory, credentialsDirectory: configuration.credentialsDirectory,
            entropy)
    }

    /// The key of one origin: its name is the origin's (C2SP tlog-checkpoint).
    /// - Parameter restores: How often the log was put back to an earlier state; each time another log begins, which must
    ///   not be taken for the one before.
    func noteKey(restores: Int) -> NoteKey {
        NoteKey(name: restores == 0 ? base : "\(base)/restored/\(restores)", key)
    }
}
