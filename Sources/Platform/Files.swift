import CLinux

/// Files and folders by their paths. Everything is written so that a crash leaves the old or the new, never a half.
package enum Files {
    package enum Kind: String, Sendable { case file, folder, link, other }

    package struct Status: Hashable, Sendable {
        package var kind: Kind
        package var sizeBytes: Int64
        /// The permission bits.
        package var mode: UInt32
        package var ownerID: UInt32
        package var groupID: UInt32
        package var modifiedMilliseconds: Int64
    }

    /// What stands at the path, links not followed; nil when nothing does (or it cannot be seen).
    package static func status(_ path: String) -> Status? {
        var found = stat()
        return lstat(path, &found) == 0 ? Status(found) : nil
    }

    package static func exists(_ path: String) -> Bool { status(path) != nil }

    /// The whole file. Throws `EFBIG` when it is larger than `bytesMax`.
    package static func read(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        try Descriptor.openToRead(path).readAll(bytesMax: bytesMax, path)
    }

    /// Replaces the file at once and durably: a temporary file, fsync, rename, fsync of the folder.
    package static func writeAtomically(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o600) throws(SystemError) {
        let (folder, name) = split(path)
        try Folder(folder).writeAtomically(bytes, to: name, mode: mode)
    }

    /// Appends to the file, creating it (0600) if needed; `sync` waits for the disk.
    package static func append(_ bytes: [UInt8], to path: String, sync: Bool) throws(SystemError) {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC
        let file = Descriptor(Int32(try systemCall("open", path) { Int(aos_open(path, flags, 0o600)) }))
        try file.writeAll(bytes)
        if sync { try file.sync() }
    }

    /// Makes the folder and its parents; what exists already keeps its mode.
    package static func makeFolder(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
        if mkdir(path, mode) == 0 { return }
        if errno == ENOENT, path.utf8.contains(UInt8(ascii: "/")) {
            try makeFolder(split(path).folder, mode: mode)
            try systemCall("mkdir", path) { Int(mkdir(path, mode)) }
        } else if errno != EEXIST {
            throw SystemError("mkdir", path)
        } else if (try? Folder(path)) == nil {
            throw SystemError("mkdir", path, number: ENOTDIR)
        }
    }

    /// The names in the folder, sorted, without `.` and `..`.
    package static func list(_ path: String) throws(SystemError) -> [String] { try Folder(path).names() }

    /// Removes the file or link; nothing there is no error.
    package static func remove(_ path: String) throws(SystemError) {
        if unlink(path) != 0, errno != ENOENT { throw SystemError("unlink", path) }
    }

    package static func rename(_ from: String, to: String) throws(SystemError) {
        try systemCall("rename", from) { Int(CLinux.rename(from, to)) }
    }

    /// Removes the folder with all that is in it, never following a link; nothing there is no error.
    package static func removeTree(_ path: String) throws(SystemError) {
        guard let status = status(path) else { return }
        guard status.kind == .folder else { return try remove(path) }
        let (folder, name) = split(path)
        try Folder(folder).removeTree(name, depth: 0)
    }

    /// The absolute path without links, `.` and `..`; nil when something on the way is missing.
    package static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    /// The folder and the last name of a path.
    package static func split(_ path: String) -> (folder: String, name: String) {
        var bytes = path.utf8[...]
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (".", String(Substring(bytes))) }
        let folder = String(Substring(bytes[..<slash]))
        return (folder.isEmpty ? "/" : folder, String(Substring(bytes[bytes.index(after: slash)...])))
    }
}

extension Files.Status {
    init(_ found: stat) {
        kind =
            aos_is_regular(found.st_mode) != 0
            ? .file : aos_is_directory(found.st_mode) != 0 ? .folder : aos_is_link(found.st_mode) != 0 ? .link : .other
        sizeBytes = Int64(found.st_size)
        mode = found.st_mode & 0o7777
        (ownerID, groupID) = (found.st_uid, found.st_gid)
        modifiedMilliseconds = Int64(found.st_mtim.tv_sec) * 1000 + Int64(found.st_mtim.tv_nsec) / 1_000_000
    }
}

extension Descriptor {
    /// What is open.
    package func status() throws(SystemError) -> Files.Status {
        var found = stat()
        try systemCall("fstat") { Int(fstat(number, &found)) }
        return Files.Status(found)
    }

    /// Everything up to the end. Throws `EFBIG` when that is more than `bytesMax`.
    package func readAll(bytesMax: Int, _ name: String = "") throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more = try read(upTo: min(64 << 10, bytesMax - bytes.count + 1))
            if more.isEmpty { return bytes }
            bytes += more
            if bytes.count > bytesMax { throw SystemError("read", name, number: EFBIG) }
        }
    }

    /// Waits until what was written is on the disk.
    package func sync() throws(SystemError) { try systemCall("fsync") { Int(fsync(number)) } }

    /// A path under which this process can open the same file again, whatever happened to its name.
    package var reopenPath: String { "/proc/self/fd/\(number)" }

    /// Takes the lock of the file, or says that another process has it. It ends with the descriptor.
    package func tryLock() throws(SystemError) -> Bool {
        if flock(number, LOCK_EX | LOCK_NB) == 0 { return true }
        if errno == EWOULDBLOCK { return false }
        throw SystemError("flock")
    }

    /// A file for reading and writing, made if it is missing.
    package static func openToWrite(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> Descriptor {
        Descriptor(Int32(try systemCall("open", path) { Int(aos_open(path, O_RDWR | O_CREAT | O_CLOEXEC, mode)) }))
    }
}

/// An open folder. What is named beneath it is found without following a single link (openat2), so a name can never
/// lead out of it, whatever somebody puts into the folder meanwhile.
package final class Folder: Sendable {
    private static let depthMax = 256

    private let descriptor: Descriptor
    private let path: String

    /// - Throws: `ENOTDIR` when it is no folder. Links on the way to the folder itself are followed.
    package init(_ path: String) throws(SystemError) {
        descriptor = Descriptor(
            Int32(try systemCall("open", path) { Int(aos_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)) }))
        self.path = path
    }

    private init(_ descriptor: Descriptor, _ path: String) { (self.descriptor, self.path) = (descriptor, path) }

    /// A file beneath the folder, for reading. Throws `ELOOP` for a link, `EXDEV` for a way out, `EINVAL` for what is
    /// neither file nor folder. A pipe does not block.
    package func open(_ name: String) throws(SystemError) -> Descriptor {
        let file = try openBeneath(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
        guard try file.status().kind != .other else { throw SystemError("open", name, number: EINVAL) }
        return file
    }

    /// A folder beneath this one; `.` is this one.
    package func folder(_ name: String) throws(SystemError) -> Folder {
        Folder(try openBeneath(name, O_RDONLY | O_DIRECTORY), "\(path)/\(name)")
    }

    /// The same, with missing folders on the way made.
    package func makeFolder(_ name: String, mode: UInt32 = 0o777) throws(SystemError) -> Folder {
        if name.utf8.first == UInt8(ascii: "/") { throw SystemError("mkdir", name, number: EXDEV) }
        var folder = self
        for part in name.split(separator: "/") where part != "." {
            let part = String(part)
            if mkdirat(folder.descriptor.number, part, mode) != 0, errno != EEXIST { throw SystemError("mkdir", name) }
            folder = try folder.folder(part)
        }
        return folder
    }

    /// What the name stands for, links not followed; nil when nothing is there. The name has no slash.
    package func status(_ name: String) -> Files.Status? {
        var found = stat()
        return fstatat(descriptor.number, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? Files.Status(found) : nil
    }

    /// The names in the folder, sorted, without `.` and `..`.
    package func names() throws(SystemError) -> [String] {
        let copy = try systemCall("open", path) {
            Int(aos_openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0))
        }
        guard let stream = fdopendir(Int32(copy)) else {
            close(Int32(copy))
            throw SystemError("opendir", path)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = String(cString: aos_entry_name(entry))
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Replaces the file at once and durably. The name may have folders in it; they must exist.
    package func writeAtomically(_ bytes: [UInt8], to name: String, mode: UInt32) throws(SystemError) {
        let (parent, last) = Files.split(name)
        let folder = parent == "." ? self : try self.folder(parent)
        let temporary = ".\(last.utf8.count > 200 ? "file" : last).\(Self.temporarySuffix()).tmp"
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let file = Descriptor(
            Int32(try systemCall("open", name) { Int(aos_openat(folder.descriptor.number, temporary, flags, mode)) }))
        do throws(SystemError) {
            // The mode is what was asked for, whatever the umask says.
            try systemCall("fchmod", name) { Int(fchmod(file.number, mode)) }
            try file.writeAll(bytes)
            try file.sync()
            try systemCall("rename", name) {
                Int(renameat(folder.descriptor.number, temporary, folder.descriptor.number, last))
            }
        } catch {
            unlinkat(folder.descriptor.number, temporary, 0)
            throw error
        }
        try folder.descriptor.sync()
    }

    /// Removes what has the name, and all that is in it.
    func removeTree(_ name: String, depth: Int) throws(SystemError) {
        guard depth < Self.depthMax else { throw SystemError("rmdir", name, number: ENAMETOOLONG) }
        guard let status = status(name) else { return }
        guard status.kind == .folder else {
            if unlinkat(descriptor.number, name, 0) != 0, errno != ENOENT { throw SystemError("unlink", name) }
            return
        }
        if status.mode & 0o700 != 0o700 { fchmodat(descriptor.number, name, 0o700, 0) }
        let inner = try folder(name)
        for entry in try inner.names() { try inner.removeTree(entry, depth: depth + 1) }
        if unlinkat(descriptor.number, name, AT_REMOVEDIR) != 0, errno != ENOENT { throw SystemError("rmdir", name) }
    }

    private func openBeneath(_ name: String, _ flags: Int32) throws(SystemError) -> Descriptor {
        Descriptor(
            Int32(
                try systemCall("open", name) {
                    Int(aos_openat_beneath(descriptor.number, name, flags | O_CLOEXEC, 0))
                }))
    }

    private static func temporarySuffix() -> String {
        SystemEntropy().bytes(6).map { String($0, radix: 36) }.joined()
    }
}

extension Files {
    /// Whether some process holds the lock of the file (``Descriptor/tryLock()``); false when there is no such file.
    package static func isLocked(_ path: String) -> Bool {
        guard let file = try? Descriptor.openToRead(path) else { return false }
        return (try? file.tryLock()) == false
    }
}
