import Crypto
import Platform

/// Writes the members of a backup one after the other to whoever takes the bytes.
final class BackupWriter {
    private let modifiedSeconds: Int64
    private let sums: Descriptor
    private var sumBytes: Int64 = 0
    private let sink: (ArraySlice<UInt8>) throws -> Void

    /// - Parameters:
    ///   - folder: Where the list of digests may grow meanwhile.
    ///   - sink: Takes the bytes; what it throws ends the backup.
    init(
        modifiedSeconds: Int64, folder: String, sink: @escaping (ArraySlice<UInt8>) throws -> Void
    ) throws {
        (self.modifiedSeconds, self.sink) = (modifiedSeconds, sink)
        sums = try Files.createNew("\(folder)/\(BackupFormat.sums)")
    }

    func add(_ name: String, _ bytes: [UInt8]) throws {
        try begin(name, Int64(bytes.count))
        try sink(bytes[...])
        try end(name, SHA256.hex(bytes), Int64(bytes.count))
    }

    /// - Throws: ``BackupFault`` when the file does not have exactly that many bytes (any more).
    func add(_ name: String, _ file: Descriptor, size: Int64) throws {
        try begin(name, size)
        let hash = RunningSHA256()
        var rest = size
        while rest > 0 {
            let piece = try file.read(upTo: Int(min(rest, Int64(BackupFormat.pieceBytes))))
            guard !piece.isEmpty else { break }
            rest -= Int64(piece.count)
            hash.update(piece[...])
            try sink(piece[...])
        }
        guard rest == 0, try file.read(upTo: 1).isEmpty else {
            throw BackupFault("\(name) changed while it was copied; make the backup again")
        }
        try end(name, hash.hex(), size)
    }

    /// The list of digests, and the end of the file.
    func finish() throws {
        try sums.seek(to: 0)
        try begin(BackupFormat.sums, sumBytes)
        while case let piece = try sums.read(upTo: BackupFormat.pieceBytes), !piece.isEmpty { try sink(piece[...]) }
        try pad(sumBytes)
        try sink([UInt8](repeating: 0, count: 2 * TarHeader.blockBytes)[...])
    }

    private func begin(_ name: String, _ size: Int64) throws {
        precondition(BackupFormat.isName(name), "no member of a backup: \(name)")
        try sink(TarHeader(name: name, size: size, modifiedSeconds: modifiedSeconds).bytes[...])
    }

    private func end(_ name: String, _ sha256: String, _ size: Int64) throws {
        try pad(size)
        let line = BackupFormat.sumLine(sha256, name)
        try sums.writeAll(line)
        sumBytes += Int64(line.count)
    }

    private func pad(_ size: Int64) throws {
        try sink([UInt8](repeating: 0, count: TarHeader.padding(size))[...])
    }
}
