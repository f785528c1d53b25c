import HTTP
import Platform

/// The other end of a connection, with nothing between the test and the bytes.
final class Peer {
    let socket: Descriptor
    private var parser = HTTPResponseParser()

    init(_ address: SocketAddress) throws { socket = try TCP.connect(to: address, milliseconds: 5_000) }

    func send(_ bytes: [UInt8]) {
        // A server that has closed already is for the reading half of the test to notice.
        try? socket.writeAllQuietly(bytes)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func endSending() { TCP.shutdownSending(socket) }

    /// What comes until the server closes.
    func readToEnd() throws -> [UInt8] {
        var all: [UInt8] = []
        while let more = try read() { all += more }
        return all
    }

    /// What comes next; nil at the end.
    func read() throws -> [UInt8]? {
        guard try socket.waitReadable(milliseconds: 10_000) else { throw Silence() }
        let bytes = try socket.read(upTo: 1 << 16)
        return bytes.isEmpty ? nil : bytes
    }

    /// The next complete response.
    func response(to method: HTTPMethod = .get) throws -> HTTPResponse {
        parser.expectResponse(to: method)
        var response = HTTPResponse(.ok)
        while true {
            while let event = try parser.next() {
                switch event {
                case .head(let head, _): response = head
                case .body(let bytes): response.body += bytes
                case .end: return response
                }
            }
            if let bytes = try read() {
                parser.receive(bytes)
            } else {
                _ = try parser.end()
                return response
            }
        }
    }

    struct Silence: Error {}
}

extension Descriptor {
    /// Like `writeAll`, without a signal when nobody reads any more.
    fileprivate func writeAllQuietly(_ bytes: [UInt8]) throws {
        var start = 0
        while start < bytes.count {
            let sent = try bytes.withUnsafeBytes {
                try TCP.send(UnsafeRawBufferPointer(rebasing: $0[start...]), to: self)
            }
            start += sent ?? 0
        }
    }
}
