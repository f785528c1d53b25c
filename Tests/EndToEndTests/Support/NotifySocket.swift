import CLinux
import Platform
import Testing

/// Stands in for systemd: the socket that `NOTIFY_SOCKET` names, and what was said to it.
final class NotifySocket: Sendable {
    struct Message: Sendable {
        var lines: [String]
        var atMs: Int64
    }

    private static let messageBytesMax = 4096

    let path: String
    private let socket: Descriptor
    private let messages = Monitor<[Message]>([])

    init(in folder: String) throws {
        path = "\(folder)/notify-\(SystemEntropy().bytes(4).map { String($0, radix: 16) }.joined())"
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        try #require(bytes.count < MemoryLayout.size(ofValue: address.sun_path))
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let listener = Descriptor(CLinux.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0, "bind \(path)")
        socket = listener
        let messages = messages
        Thread.start("notify") {
            while let bytes = try? listener.read(upTo: Self.messageBytesMax), !bytes.isEmpty {
                let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
                messages.update {
                    $0.append(Message(lines: lines, atMs: SystemClock().monotonicMilliseconds()))
                }
            }
        }
    }

    deinit {
        // Ends the reader: an empty message is the end of what it reads.
        _ = aos_notify(path, "")
        unlink(path)
    }

    var environment: [String: String] { ["NOTIFY_SOCKET": path] }

    var all: [Message] { messages.read { $0 } }

    /// The first message with this line, from the given one on; nil when none has come in time.
    func wait(for line: String, from index: Int = 0, milliseconds: Int64 = 20_000) -> Message? {
        messages.wait(milliseconds: milliseconds) { messages in
            messages.dropFirst(index).first { $0.lines.contains(line) }
        }
    }

    /// How often the line came.
    func count(_ line: String) -> Int { all.count { $0.lines.contains(line) } }

    /// Waits until the line has come so often. False when the time has passed.
    func wait(for line: String, count: Int, milliseconds: Int64 = 20_000) -> Bool {
        messages.wait(milliseconds: milliseconds) { messages in
            messages.count { $0.lines.contains(line) } >= count ? true : nil
        } ?? false
    }
}
