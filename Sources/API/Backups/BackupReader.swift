import Crypto
import JSON
import Platform
import Shared

/// A backup that is read back. What is not exactly as ``BackupWriter`` writes it is refused with its place, before
/// anything of it is used.
struct BackupReader {
    let path: String
    let manifest: BackupManifest
    private let bytes: Int64
    private let sumsOffset: Int64
    private let sumsBytes: Int64

    /// What ``read(into:)`` found besides that everything holds.
    struct Contents: Sendable {
        var members = 0
        /// Whose bytes were not what their name says already when they were backed up.
        var damagedBlobs: [String] = []
    }

    /// Named at the most.
    private static let namedMax = 10

    /// Walks the heads of all members: their names, order and sizes, the bytes between them, the end.
    /// - Throws: ``BackupFault``, or ``SystemError`` for a file that cannot be read.
    init(path: String) throws {
        self.path = path
        let file = try Descriptor.openToRead(path)
        let status = try file.status()
        guard status.kind == .file else { throw BackupFault("\(path) is no file") }
        bytes = status.sizeBytes
        var walk = Walk(path: path, file: file, bytes: bytes)
        let first = try walk.next(modifiedSeconds: nil)
        guard let first, first.header.name == BackupFormat.manifest else {
            throw walk.fault("expected \(BackupFormat.manifest) as the first member; this is no backup of AgentOS")
        }
        guard first.header.size <= BackupFormat.manifestBytesMax else {
            throw walk.fault(
                "the manifest has \(first.header.size) bytes, allowed are \(BackupFormat.manifestBytesMax)")
        }
        manifest = try Self.manifest(try walk.contents(of: first), path)
        let seconds = manifest.madeAt.milliseconds / 1000
        guard first.header.modifiedSeconds == seconds else {
            throw walk.fault("the first member's time is not the manifest's")
        }
        var expected = [BackupFormat.database] + DataDirectory.instanceFiles
        var blobs: Int64 = 0
        var sums: Walk.Member?
        while let member = try walk.next(modifiedSeconds: seconds) {
            let name = member.header.name
            guard sums == nil else { throw walk.fault("\(name) stands behind \(BackupFormat.sums), which is the last") }
            if !expected.isEmpty {
                let wanted = expected.removeFirst()
                guard name == wanted else { throw walk.fault("expected the member \(wanted), found \(name)") }
                if name != BackupFormat.database, member.header.size > BackupFormat.secretBytesMax {
                    throw walk.fault(
                        "\(name) has \(member.header.size) bytes, allowed are \(BackupFormat.secretBytesMax)")
                }
            } else if name == BackupFormat.sums {
                sums = member
            } else if name.hasPrefix(BackupFormat.blobs) {
                blobs += 1
            } else {
                throw walk.fault("the member \(name) is there a second time")
            }
        }
        guard let sums else {
            throw walk.fault("expected \(expected.first ?? BackupFormat.sums), found the end: members are missing")
        }
        guard blobs == manifest.blobs else {
            throw BackupFault("\(path): the manifest says \(manifest.blobs) blobs, there are \(blobs)")
        }
        (sumsOffset, sumsBytes) = (sums.offset, sums.header.size)
    }

    /// Reads all of it and compares every digest.
    /// - Parameter target: Says where a member goes; nil for one that is only read. The folders it names are made.
    /// - Throws: ``BackupFault`` at the first byte that is not what was written. What was extracted before is the caller's
    ///   to remove.
    @discardableResult
    func read(into target: (_ name: String) -> String? = { _ in nil }) throws -> Contents {
        var contents = Contents()
        var walk = Walk(path: path, file: try Descriptor.openToRead(path), bytes: bytes)
        let sums = try Descriptor.openToRead(path)
        try sums.seek(to: sumsOffset)
        var sumsLeft = sumsBytes
        while let member = try walk.next(modifiedSeconds: manifest.madeAt.milliseconds / 1000) {
            let name = member.header.name
            guard name != BackupFormat.sums else { break }
            let found = try copy(member, walk, target(name))
            let line = BackupFormat.sumLine(found, name)
            guard sumsLeft >= line.count, try sums.readExactly(line.count) == line else {
                throw BackupFault(
                    "\(path): \(name) (bytes \(member.offset) to \(member.end)) is not what \(BackupFormat.sums) says: found \(found); the file is damaged"
                )
            }
            sumsLeft -= Int64(line.count)
            if name == BackupFormat.database {
                guard found == manifest.databaseSha256, member.header.size == manifest.databaseBytes else {
                    throw BackupFault("\(path): \(name) is not the database that the manifest is about")
                }
            } else if name.hasPrefix(BackupFormat.blobs), !name.hasSuffix(found) {
                if contents.damagedBlobs.count < Self.namedMax { contents.damagedBlobs.append(name) }
            }
            contents.members += 1
        }
        guard sumsLeft == 0 else {
            throw BackupFault("\(path): \(BackupFormat.sums) names members that are not there")
        }
        return contents
    }

    private func copy(_ member: Walk.Member, _ walk: Walk, _ target: String?) throws -> String {
        var file: Descriptor?
        if let target {
            try Files.makeFolder(Files.split(target).folder)
            file = try Files.createNew(target)
        }
        let hash = RunningSHA256()
        try walk.each(of: member) { piece in
            hash.update(piece[...])
            try file?.writeAll(piece)
        }
        return hash.hex()
    }

    private static func manifest(_ bytes: [UInt8], _ path: String) throws -> BackupManifest {
        guard let value = try? JSON.parse(bytes), let format = value["format"]?.intValue else {
            throw BackupFault("\(path): \(BackupFormat.manifest) cannot be read; the file is damaged, or no backup")
        }
        guard format == BackupFormat.version else {
            throw BackupFault(
                "\(path) has format \(format), this program (\(ReleaseVersion.text)) reads \(BackupFormat.version): use the program that made it, \(value["program_version"]?.stringValue ?? "a newer one")"
            )
        }
        do {
            return try JSON.decode(BackupManifest.self, from: value)
        } catch {
            throw BackupFault("\(path): \(BackupFormat.manifest) cannot be read: \(error)")
        }
    }
}

/// Goes from member to member.
private struct Walk {
    struct Member {
        var header: TarHeader
        /// Of its first byte in the file.
        var offset: Int64
        var end: Int64 { offset + header.size }
    }

    let path: String
    let file: Descriptor
    let bytes: Int64
    private var place: Int64 = 0

    init(path: String, file: Descriptor, bytes: Int64) { (self.path, self.file, self.bytes) = (path, file, bytes) }

    func fault(_ what: String) -> BackupFault { BackupFault("\(path), before byte \(place): \(what)") }

    /// The next member; nil at the end, which is where it should be.
    /// - Parameter modifiedSeconds: What its head must say; nil while that is not known.
    mutating func next(modifiedSeconds: Int64?) throws -> Member? {
        let blockBytes = Int64(TarHeader.blockBytes)
        let block = try read(TarHeader.blockBytes, at: place, "a member's head")
        if block.allSatisfy({ $0 == 0 }) {
            let second = try read(TarHeader.blockBytes, at: place + blockBytes, "the end")
            guard second.allSatisfy({ $0 == 0 }), place + 2 * blockBytes == bytes else {
                throw fault("expected the end of the file at byte \(place + 2 * blockBytes), it has \(bytes)")
            }
            return nil
        }
        guard let header = TarHeader(block), BackupFormat.isName(header.name),
            TarHeader(
                name: header.name, size: header.size, modifiedSeconds: modifiedSeconds ?? header.modifiedSeconds
            ).bytes == block
        else {
            let name = TarHeader(block).map { " (\(String($0.name.prefix(120)).debugDescription))" } ?? ""
            throw fault(
                "the head of a member\(name) is not one that this program writes; the file is damaged, or no backup")
        }
        let member = Member(header: header, offset: place + blockBytes)
        let padding = TarHeader.padding(header.size)
        // Also keeps the sum from running over.
        guard header.size <= bytes, member.end + Int64(padding) <= bytes else {
            throw fault("\(header.name) has \(header.size) bytes, the file ends before: it was cut off")
        }
        guard try read(padding, at: member.end, "padding").allSatisfy({ $0 == 0 }) else {
            throw fault(
                "the bytes behind \(header.name), from byte \(member.end) on, are not zero; the file is damaged")
        }
        place = member.end + Int64(padding)
        return member
    }

    func contents(of member: Member) throws -> [UInt8] {
        try read(Int(member.header.size), at: member.offset, member.header.name)
    }

    func each(of member: Member, _ body: ([UInt8]) throws -> Void) throws {
        try file.seek(to: member.offset)
        var rest = member.header.size
        while rest > 0 {
            let piece = try file.read(upTo: Int(min(rest, Int64(BackupFormat.pieceBytes))))
            guard !piece.isEmpty else { throw fault("\(member.header.name) was cut off while it was read") }
            rest -= Int64(piece.count)
            try body(piece)
        }
    }

    private func read(_ count: Int, at offset: Int64, _ what: String) throws -> [UInt8] {
        try file.seek(to: offset)
        let found = try file.readExactly(count)
        guard found.count == count else {
            throw BackupFault("\(path): expected \(what) at byte \(offset), the file ends before: it was cut off")
        }
        return found
    }
}

extension Descriptor {
    /// So many bytes; fewer only at the end.
    fileprivate func readExactly(_ count: Int) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try read(upTo: count - bytes.count)
            if more.isEmpty { break }
            bytes += more
        }
        return bytes
    }
}
