import JSON
package import Platform
package import Shared

/// Where a supervisor says how it stands, for the api and for `aos status`.
package struct SupervisorFile: Sendable {
    /// The api may be looking whether the lock is held just when it is wanted.
    private static let lockTries = 20
    private static let lockPauseMilliseconds: Int64 = 50

    package let directory: String
    private var path: String { "\(directory)/\(Supervision.fileName)" }
    private var lockPath: String { "\(directory)/\(Supervision.lockFileName)" }

    package init(_ dataDirectory: String) { directory = dataDirectory }

    /// Takes the data directory for this supervisor, until the result is gone. Nil when another one has it.
    package func lock() throws(SystemError) -> Descriptor? {
        try Files.makeFolder(directory)
        let file = try Descriptor.openToWrite(lockPath)
        for _ in 0..<Self.lockTries {
            if try file.tryLock() { return file }
            _ = Monitor(()).wait(milliseconds: Self.lockPauseMilliseconds) { _ in Bool?.none }
        }
        return nil
    }

    package func write(_ supervision: Supervision) throws {
        try Files.writeAtomically(try JSON.encode(supervision, nulls: .write), to: path)
    }

    package func remove() throws(SystemError) { try Files.remove(path) }

    /// What the last supervisor has said, and whether it is there still.
    package func read() -> (supervision: Supervision, isThere: Bool)? {
        guard let bytes = try? Files.read(path, bytesMax: Supervision.bytesMax),
            let supervision = try? JSON.decode(Supervision.self, from: bytes)
        else { return nil }
        return (supervision, Files.isLocked(lockPath))
    }
}
