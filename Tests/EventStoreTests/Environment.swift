import Glibc

enum Environment {
    /// `UPDATE_REFERENCE=1` prints reference pages again instead of comparing them.
    static var updatesReferences: Bool { getenv("UPDATE_REFERENCE").map { String(cString: $0) } == "1" }
}
