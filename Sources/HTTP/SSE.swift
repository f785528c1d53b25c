/// Writes `text/event-stream`.
package enum SSEWriter {
    /// One event: `id`, `event` and the lines of `data`. A line end in `id` or `event` is a bug.
    package static func frame(id: String? = nil, event: String? = nil, data: some Collection<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count + 48)
        if let id { append("id", id, to: &bytes) }
        if let event { append("event", event, to: &bytes) }
        bytes.append(contentsOf: "data: ".utf8)
        var afterCarriageReturn = false
        for byte in data {
            if byte == ASCII.lineFeed || byte == ASCII.carriageReturn {
                if !(afterCarriageReturn && byte == ASCII.lineFeed) { bytes.append(contentsOf: "\ndata: ".utf8) }
                afterCarriageReturn = byte == ASCII.carriageReturn
            } else {
                bytes.append(byte)
                afterCarriageReturn = false
            }
        }
        bytes.append(contentsOf: "\n\n".utf8)
        return bytes
    }

    /// An id without an event: nothing is dispatched, and a client that is cut off comes back with it as `Last-Event-ID`.
    package static func position(id: String) -> [UInt8] {
        var bytes: [UInt8] = []
        append("id", id, to: &bytes)
        bytes.append(ASCII.lineFeed)
        return bytes
    }

    /// A line that clients ignore; it keeps the connection known to be alive.
    package static let keepAlive: [UInt8] = Array(": keep-alive\n\n".utf8)

    /// How long a client waits before it connects again.
    package static func retry(milliseconds: Int) -> [UInt8] { Array("retry: \(milliseconds)\n\n".utf8) }

    private static func append(_ field: StaticString, _ value: String, to bytes: inout [UInt8]) {
        precondition(
            !value.utf8.contains { $0 == ASCII.lineFeed || $0 == ASCII.carriageReturn || $0 == 0 },
            "a field of a server-sent event is one line")
        field.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: ": ".utf8)
        bytes.append(contentsOf: value.utf8)
        bytes.append(ASCII.lineFeed)
    }
}

/// An event from the other end.
package struct SSEEvent: Sendable, Hashable {
    /// The last id the stream has given, also by an earlier event; empty when none was.
    package var id: String
    /// `message` unless the stream said otherwise.
    package var event: String
    package var data: String

    package init(id: String = "", event: String = "message", data: String) {
        (self.id, self.event, self.data) = (id, event, data)
    }
}

/// Reads `text/event-stream` as WHATWG describes it: bytes in, events out.
package struct SSEParser: Sendable {
    package enum Failure: Error, Hashable, Sendable {
        case lineTooLong
        case eventTooLarge
    }

    package static let lineBytesMaxDefault = 1 << 20
    package static let eventBytesMaxDefault = 4 << 20

    private let lineBytesMax: Int
    private let eventBytesMax: Int
    private var line: [UInt8] = []
    private var afterCarriageReturn = false
    private var isFirstLine = true
    private var data: [UInt8] = []
    private var hasData = false
    private var event = ""
    private var failure: Failure?
    /// What to send as `Last-Event-ID` when connecting again; empty when the stream gave none.
    package private(set) var lastEventID = ""
    private var id = ""
    /// What the server asked to wait before connecting again.
    package private(set) var retryMilliseconds: Int?

    package init(lineBytesMax: Int = lineBytesMaxDefault, eventBytesMax: Int = eventBytesMaxDefault) {
        (self.lineBytesMax, self.eventBytesMax) = (lineBytesMax, eventBytesMax)
    }

    /// The events that these bytes complete. After a failure every call fails the same way.
    package mutating func receive(_ bytes: some Sequence<UInt8>) throws(Failure) -> [SSEEvent] {
        if let failure { throw failure }
        var events: [SSEEvent] = []
        do throws(Failure) {
            for byte in bytes { if let event = try receive(byte) { events.append(event) } }
        } catch {
            failure = error
            throw error
        }
        return events
    }

    private mutating func receive(_ byte: UInt8) throws(Failure) -> SSEEvent? {
        switch byte {
        case ASCII.lineFeed where afterCarriageReturn:
            afterCarriageReturn = false
            return nil
        case ASCII.lineFeed, ASCII.carriageReturn:
            afterCarriageReturn = byte == ASCII.carriageReturn
            defer { line.removeAll(keepingCapacity: line.capacity < 1 << 16) }
            return try endLine()
        default:
            afterCarriageReturn = false
            guard line.count < lineBytesMax else { throw .lineTooLong }
            line.append(byte)
            return nil
        }
    }

    private mutating func endLine() throws(Failure) -> SSEEvent? {
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        }
        if line.isEmpty { return dispatch() }
        let colon = line.firstIndex(of: ASCII.colon) ?? line.count
        if colon == 0 { return nil }
        var value = line[min(colon + 1, line.count)...]
        if value.first == ASCII.space { value.removeFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            guard data.count + value.count < eventBytesMax else { throw .eventTooLarge }
            if hasData { data.append(ASCII.lineFeed) }
            data.append(contentsOf: value)
            hasData = true
        case "event": event = String(decoding: value, as: UTF8.self)
        case "id" where !value.contains(0): id = String(decoding: value, as: UTF8.self)
        case "retry": if let milliseconds = ASCII.decimal(value) { retryMilliseconds = milliseconds }
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> SSEEvent? {
        defer { (data, hasData, event) = ([], false, "") }
        lastEventID = id
        guard hasData else { return nil }
        return SSEEvent(id: id, event: event.isEmpty ? "message" : event, data: String(decoding: data, as: UTF8.self))
    }
}
