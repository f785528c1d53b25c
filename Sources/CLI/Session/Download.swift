import APIClient
import HTTP
import HTTPClient
import Platform
import Shared

/// Bytes from the api as they come, in constant memory.
struct Download {
    private static let milliseconds = 60 * 60_000
    static let silenceMilliseconds = 30_000
    private static let problemBytesMax = 64 << 10

    private let session: Session
    private let method: HTTPMethod
    private let target: String
    private let fields: HTTPFields
    private let silence: Int

    /// - Parameter milliseconds: How long the api may say nothing.
    init(
        _ session: Session, _ endpoint: Endpoint<Nothing, Nothing>, _ parameters: [String: String] = [:],
        silence milliseconds: Int = silenceMilliseconds
    ) {
        (self.session, method, target) = (session, endpoint.method, endpoint.target(parameters))
        (fields, silence) = (endpoint.method == .get ? [:] : [.contentType: "application/json"], milliseconds)
    }

    /// - Parameter mediaType: Which of the forms that the endpoint can answer in.
    init(_ session: Session, _ reading: Reading<EventList>, as mediaType: String) {
        (self.session, method, fields) = (session, .get, [.accept: mediaType])
        silence = Self.silenceMilliseconds
        target = reading.endpoint.target(reading.parameters, query: reading.query)
    }

    /// Hands them over; a refusal comes out as a ``Failure``.
    func run(_ take: (ArraySlice<UInt8>) throws -> Void) throws {
        let (connection, client) = (try session.connection(), try session.client())
        var request = client.request(method, target, fields: fields, deadlineMilliseconds: Self.milliseconds)
        request.idleMilliseconds = silence
        if method != .get { request.body = .bytes(Array("{}".utf8)) }
        var response = HTTPResponse(.ok)
        do {
            try client.transport.stream(request, onHead: { response = $0 }) { bytes in
                if response.status == .ok {
                    try take(bytes)
                } else {
                    response.body += bytes
                }
                return response.body.count < Self.problemBytesMax
            }
        } catch let error as HTTPClientError { throw Failure(.transport(error), connection) }
        guard response.status == .ok else { throw Failure(.init(response), connection) }
    }

    /// The whole file or none: it gets its name when it is complete.
    /// - Parameter again: The command without the file's name, for advice.
    /// - Returns: Its size in bytes.
    func save(to path: String, again command: String) throws -> Int64 {
        if Files.status(path)?.kind == .folder {
            throw Failure(.failed, "\(path) is a folder: name a file", next: ["\(command) -o \(path)/NAME"])
        }
        let part = "\(path).part"
        var size: Int64 = 0
        do {
            let file = try Files.create(part)
            try run { bytes in
                try file.writeAll(Array(bytes))
                size += Int64(bytes.count)
            }
            try file.sync()
            try Files.rename(part, to: path)
        } catch {
            try? Files.remove(part)
            throw error
        }
        return size
    }
}
