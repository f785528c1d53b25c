import JSON
package import Shared

/// What a backup is: one tar file (POSIX.1-2017, `ustar`) of exactly these members in this order. Every byte of it is
/// determined by what it holds, so a byte that differs is a fault, wherever it is; and any `tar` and `sha256sum` can open
/// and check it without this program.
///
///     manifest.json             what this is (``BackupManifest``)
///     aos.db                    the database, a plain SQLite file
///     operator.token token.key audit.key  what makes it the same instance; a key that is kept elsewhere is empty
///     blobs/…                   contents of artifacts, by workspace and digest
///     SHA256SUMS                a line for every other member, as `sha256sum` writes them
enum BackupFormat {
    static let version = 1
    static let mediaType = "application/x-tar"

    static let manifest = "manifest.json"
    static let database = "aos.db"
    static let sums = "SHA256SUMS"
    static let blobs = "blobs/"

    static let manifestBytesMax = 64 << 10
    static let secretBytesMax = 4 << 10
    /// Read and written at once.
    static let pieceBytes = 1 << 20
    /// Left on a disk that the api also needs to go on.
    static let reserveBytes: Int64 = 64 << 20

    /// Whether a member may have this name; nothing else is ever looked at, let alone written.
    static func isName(_ name: String) -> Bool {
        if [manifest, database, sums].contains(name) || DataDirectory.instanceFiles.contains(name) { return true }
        guard name.hasPrefix(blobs) else { return false }
        let parts = name.dropFirst(blobs.count).split(separator: "/", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [32, 2, 64] && parts[2].hasPrefix(parts[1])
            && parts.allSatisfy { part in
                part.utf8.allSatisfy {
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                        || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
                }
            }
    }

    /// As `sha256sum` writes it and `sha256sum -c` reads it.
    static func sumLine(_ sha256: String, _ name: String) -> [UInt8] { Array("\(sha256)  \(name)\n".utf8) }
}

/// What a backup says of itself.
package struct BackupManifest: Codable, Hashable, Sendable {
    package var format: Int
    package var madeAt: Timestamp
    /// Of the program that made it.
    package var programVersion: String
    package var schemaVersion: Int
    /// Where the data was: a server's is here as a file all the same.
    package var storage: String
    /// The last event.
    package var globalSeq: Int64
    /// Over the hashes of all events in their order, as in the head file.
    package var root: String
    package var events: Int64
    package var streams: Int64
    package var databaseBytes: Int64
    package var databaseSha256: String
    package var blobs: Int64
    package var blobBytes: Int64
    /// Contents that artifacts name and that were not there to be backed up.
    package var missingBlobs: Int64
}

/// The head of a member. Made from name, size and time alone, so that there is one way only to write it.
struct TarHeader: Hashable, Sendable {
    static let blockBytes = 512
    private static let nameBytes = 100
    private static let prefixBytes = 155

    var name: String
    var size: Int64
    var modifiedSeconds: Int64

    /// How many bytes of zero follow the member.
    static func padding(_ size: Int64) -> Int {
        Int((Int64(blockBytes) - size % Int64(blockBytes)) % Int64(blockBytes))
    }

    var bytes: [UInt8] {
        var block = [UInt8](repeating: 0, count: Self.blockBytes)
        func put(_ text: some Sequence<UInt8>, _ offset: Int) {
            for (index, byte) in text.enumerated() { block[offset + index] = byte }
        }
        func octal(_ number: Int64, _ digits: Int) -> [UInt8] {
            let text = String(number, radix: 8)
            return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
        }
        var (prefix, last) = ("", name)
        if name.utf8.count > Self.nameBytes, let slash = name.lastIndex(of: "/") {
            (prefix, last) = (String(name[..<slash]), String(name[name.index(after: slash)...]))
        }
        precondition(last.utf8.count <= Self.nameBytes && prefix.utf8.count <= Self.prefixBytes, "a long name: \(name)")
        put(last.utf8, 0)
        put(octal(0o600, 7), 100)
        put(octal(0, 7), 108)
        put(octal(0, 7), 116)
        if size < 1 << 33 {
            put(octal(size, 11), 124)
        } else {
            // What does not fit into 11 octal digits is written in base 256, as GNU tar and bsdtar do.
            put([0x80, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * $0)) }, 124)
        }
        put(octal(modifiedSeconds, 11), 136)
        put(Array(repeating: UInt8(ascii: " "), count: 8), 148)
        block[156] = UInt8(ascii: "0")
        put("ustar".utf8, 257)
        put("00".utf8, 263)
        put(prefix.utf8, 345)
        let sum = block.reduce(Int64(0)) { $0 + Int64($1) }
        put(octal(sum, 6) + [0, UInt8(ascii: " ")], 148)
        return block
    }

    /// Reads name, size and time; whether all else is as it must be says ``bytes``.
    init?(_ block: [UInt8]) {
        guard block.count == Self.blockBytes else { return nil }
        func text(_ range: Range<Int>) -> String { String(decoding: block[range].prefix { $0 != 0 }, as: UTF8.self) }
        let (last, prefix) = (text(0..<100), text(345..<500))
        name = prefix.isEmpty ? last : "\(prefix)/\(last)"
        if block[124] == 0x80 {
            size = block[128..<136].reduce(Int64(0)) { $0 << 8 | Int64($1) }
        } else {
            guard let octal = Int64(text(124..<136), radix: 8) else { return nil }
            size = octal
        }
        guard size >= 0, let seconds = Int64(text(136..<148), radix: 8) else { return nil }
        modifiedSeconds = seconds
    }

    init(name: String, size: Int64, modifiedSeconds: Int64) {
        (self.name, self.size, self.modifiedSeconds) = (name, size, modifiedSeconds)
    }
}

/// Why a file is no backup that could be used, and where.
package struct BackupFault: Error, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}
