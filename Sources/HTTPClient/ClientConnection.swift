import HTTP
import Platform

/// One connection to a server, used by one request at a time.
///
/// `@unchecked Sendable` holds because the pool hands a connection to one thread, which hands it back when it is done.
final class ClientConnection: @unchecked Sendable {
    /// How long the request may still take.
    struct Budget {
        var clock: any Clock
        var deadline: Int64
        var idleMilliseconds: Int?

        func left() throws(HTTPClientError) -> Int {
            let left = deadline - clock.monotonicMilliseconds()
            guard left > 0 else { throw .timeout("the deadline of the request has passed") }
            return Int(left)
        }
    }

    private static let bufferBytes = 64 << 10
    private static let fileBytes = 64 << 10
    /// While the server takes no bytes, how often to look whether it has answered already.
    private static let writeSliceMilliseconds = 100

    let socket: Descriptor
    private(set) var hasWritten = false
    /// Whether a byte of the response came.
    private(set) var hasAnswered = false
    private var parser = HTTPResponseParser()
    private var buffer = [UInt8](repeating: 0, count: bufferBytes)

    init(_ socket: Descriptor) {
        self.socket = socket
        socket.setNonBlocking(true)
    }

    /// Whether nothing came since the last response: neither its end nor bytes nobody asked for.
    var isQuiet: Bool { (try? socket.waitReadable(milliseconds: 0)) == false }

    func startAgain() { (hasWritten, hasAnswered) = (false, false) }

    // MARK: Writing

    func write(_ request: HTTPClientRequest, host: String, _ budget: Budget) throws(HTTPClientError) {
        var bytes: [UInt8] = []
        switch request.body {
        case .none:
            let framing: HTTPBodyFraming = [.post, .put, .patch].contains(request.method) ? .length(0) : .none
            HTTPWriter.appendRequestHead(
                request.method, request.target, host: host, request.fields, framing: framing, to: &bytes)
            _ = try write(bytes, budget)
        case .bytes(let body):
            HTTPWriter.appendRequestHead(
                request.method, request.target, host: host, request.fields, framing: .length(Int64(body.count)),
                to: &bytes)
            bytes.append(contentsOf: body)
            _ = try write(bytes, budget)
        case .file(let path, let length):
            HTTPWriter.appendRequestHead(
                request.method, request.target, host: host, request.fields, framing: .length(length), to: &bytes)
            try write(head: bytes, file: path, length, budget)
        }
    }

    private func write(head: [UInt8], file path: String, _ length: Int64, _ budget: Budget) throws(HTTPClientError) {
        do {
            let file = try Descriptor.openToRead(path)
            guard try write(head, budget) else { return }
            var left = length
            while left > 0 {
                let bytes = try file.read(upTo: Int(min(left, Int64(Self.fileBytes))))
                guard !bytes.isEmpty else { throw HTTPClientError.broken("\(path) is shorter than \(length) bytes") }
                guard try write(bytes, budget) else { return }
                left -= Int64(bytes.count)
            }
        } catch let error as HTTPClientError {
            throw error
        } catch { throw .broken("\(error)") }
    }

    /// False when the server answered or hung up before it took all: then there is nothing to do but read.
    private func write(_ bytes: [UInt8], _ budget: Budget) throws(HTTPClientError) -> Bool {
        var start = 0
        while start < bytes.count {
            do throws(SystemError) {
                let sent = try bytes.withUnsafeBufferPointer { bytes throws(SystemError) in
                    try TCP.send(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start...])), to: socket)
                }
                if let sent {
                    hasWritten = true
                    start += sent
                    continue
                }
            } catch { return false }
            let slice = min(try budget.left(), Self.writeSliceMilliseconds)
            if (try? socket.waitWritable(milliseconds: slice)) != true, !isQuiet { return false }
        }
        return true
    }

    // MARK: Reading

    /// Reads the response. True when the connection can take another request.
    func read(
        _ method: HTTPMethod, _ budget: Budget, _ onHead: (HTTPResponse) throws -> Void,
        _ onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws -> Bool {
        parser.expectResponse(to: method)
        var keepsAlive = false
        while true {
            while let event = try nextEvent() {
                switch event {
                case .head(let response, let keeps):
                    keepsAlive = keeps
                    try onHead(response)
                case .body(let bytes): if try !onBytes(bytes) { return false }
                case .end: return keepsAlive && parser.bufferedBytes == 0
                }
            }
            if try !receive(budget) {
                _ = try endOfInput()
                return false
            }
        }
    }

    private func nextEvent() throws(HTTPClientError) -> HTTPResponseParser.Event? {
        do throws(HTTPParseFailure) { return try parser.next() } catch { throw .protocolError(error.detail) }
    }

    private func endOfInput() throws(HTTPClientError) -> HTTPResponseParser.Event? {
        do throws(HTTPParseFailure) { return try parser.end() } catch { throw .broken(error.detail) }
    }

    /// False at the end of what the server sends.
    private func receive(_ budget: Budget) throws(HTTPClientError) -> Bool {
        while true {
            do throws(SystemError) {
                let socket = socket
                let count = try buffer.withUnsafeMutableBufferPointer { buffer throws(SystemError) in
                    try TCP.receive(into: UnsafeMutableRawBufferPointer(buffer), from: socket)
                }
                if let count {
                    if count > 0 { hasAnswered = true }
                    buffer.withUnsafeBytes { parser.receive(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                    return count > 0
                }
            } catch { throw .broken(error.description) }
            try wait(budget)
        }
    }

    private func wait(_ budget: Budget) throws(HTTPClientError) {
        let left = try budget.left()
        let patience = min(left, budget.idleMilliseconds ?? left)
        do throws(SystemError) {
            if try socket.waitReadable(milliseconds: patience) { return }
        } catch { throw .broken(error.description) }
        throw .timeout(
            patience < left ? "the server was silent for \(patience) ms" : "the deadline of the request has passed")
    }
}
