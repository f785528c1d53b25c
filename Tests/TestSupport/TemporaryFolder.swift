import Platform

/// A folder of the test's own, gone with the value.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        let name = SystemEntropy().bytes(8).map { String($0, radix: 16) }.joined()
        path = "/tmp/aos-test-\(name)"
        try Files.makeFolder(path)
    }

    deinit { try? Files.removeTree(path) }
}
