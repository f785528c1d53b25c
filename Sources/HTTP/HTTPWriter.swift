/// How the end of a body that is sent will be known.
package enum HTTPBodyFraming: Sendable, Hashable {
    /// The response has no body and says nothing of one: 204, 304.
    case none
    case length(Int64)
    case chunked
    case untilClose
}

/// Writes messages as bytes.
package enum HTTPWriter {
    /// What a response says about the connection.
    package enum Connection: Sendable {
        /// Nothing: HTTP/1.1 keeps it.
        case keep
        /// `Connection: keep-alive`, for HTTP/1.0.
        case keepExplicitly
        case close
    }

    /// Appends the head of a response. The fields must be sendable (``HTTPFields/canBeSent``): others are a bug.
    /// - Parameter date: The value of `Date`.
    package static func appendHead(
        _ status: HTTPStatus, _ fields: HTTPFields, framing: HTTPBodyFraming, connection: Connection, date: [UInt8],
        to output: inout [UInt8]
    ) {
        precondition(fields.canBeSent, "a response field with a line end must not reach the writer")
        if statusLines.indices.contains(status.code) {
            output.append(contentsOf: statusLines[status.code])
        } else {
            output.append(contentsOf: statusLine(status))
        }
        output.append(contentsOf: date)
        output.append(contentsOf: "\r\n")
        switch framing {
        case .none, .untilClose: break
        case .length(let length):
            output.append(contentsOf: "content-length: ")
            output.append(decimal: Int(length))
            output.append(contentsOf: "\r\n")
        case .chunked: output.append(contentsOf: "transfer-encoding: chunked\r\n")
        }
        switch connection {
        case .keep: break
        case .keepExplicitly: output.append(contentsOf: "connection: keep-alive\r\n")
        case .close: output.append(contentsOf: "connection: close\r\n")
        }
        output.append(contentsOf: fields.hasConnectionFields ? fields.withoutConnectionFields().wire : fields.wire)
        output.append(contentsOf: "\r\n")
    }

    /// Appends the head of a request. `target` and the fields must be valid: others are a bug.
    package static func appendRequestHead(
        _ method: HTTPMethod, _ target: String, host: String, _ fields: HTTPFields, framing: HTTPBodyFraming,
        to output: inout [UInt8]
    ) {
        precondition(fields.canBeSent, "a request field with a line end must not reach the writer")
        output.append(contentsOf: "\(method.rawValue) \(target) HTTP/1.1\r\nhost: \(host)\r\n".utf8)
        switch framing {
        case .none, .untilClose: break
        case .length(let length): output.append(contentsOf: "content-length: \(length)\r\n".utf8)
        case .chunked: output.append(contentsOf: "transfer-encoding: chunked\r\n")
        }
        var fields = fields.hasConnectionFields ? fields.withoutConnectionFields() : fields
        fields[.host] = nil
        output.append(contentsOf: fields.wire)
        output.append(contentsOf: "\r\n")
    }

    /// Appends one chunk; an empty one would end the body, so nothing is written for it.
    package static func appendChunk(_ bytes: some Collection<UInt8>, to output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        output.append(contentsOf: String(bytes.count, radix: 16).utf8)
        output.append(contentsOf: "\r\n")
        output.append(contentsOf: bytes)
        output.append(contentsOf: "\r\n")
    }

    package static func appendLastChunk(to output: inout [UInt8]) { output.append(contentsOf: "0\r\n\r\n") }

    package static let continueLine: [UInt8] = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Status line and the fields that every response has, up to the value of `Date`, by code.
    private static let statusLines: [[UInt8]] = (0..<512).map { $0 < 100 ? [] : statusLine(HTTPStatus(code: $0)) }

    private static func statusLine(_ status: HTTPStatus) -> [UInt8] {
        Array("HTTP/1.1 \(status.code) \(status.phrase)\r\nx-content-type-options: nosniff\r\ndate: ".utf8)
    }
}

extension HTTPFields {
    /// Whether no name or value has a byte that would change the message around it.
    package var canBeSent: Bool { !isUnsafe }
}

extension [UInt8] {
    mutating func append(contentsOf text: StaticString) { text.withUTF8Buffer { append(contentsOf: $0) } }
}

/// Dates as HTTP writes them.
package enum HTTPDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    package static func format(secondsSince1970 seconds: Int64) -> [UInt8] {
        let days = Int(seconds / 86_400) - (seconds % 86_400 < 0 ? 1 : 0)
        let second = Int(seconds) - days * 86_400
        // Days to a date in the proleptic Gregorian calendar, with years that begin in March.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let weekday = ((days + 4) % 7 + 7) % 7
        var bytes: [UInt8] = []
        bytes.reserveCapacity(29)
        bytes.append(contentsOf: weekdays[weekday].utf8)
        bytes.append(contentsOf: ", ")
        bytes.append(contentsOf: digits(day, 2))
        bytes.append(ASCII.space)
        bytes.append(contentsOf: months[month - 1].utf8)
        bytes.append(ASCII.space)
        bytes.append(contentsOf: digits(year, 4))
        bytes.append(ASCII.space)
        bytes.append(contentsOf: digits(second / 3600, 2))
        bytes.append(ASCII.colon)
        bytes.append(contentsOf: digits(second / 60 % 60, 2))
        bytes.append(ASCII.colon)
        bytes.append(contentsOf: digits(second % 60, 2))
        bytes.append(contentsOf: " GMT")
        return bytes
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    private static func digits(_ number: Int, _ width: Int) -> [UInt8] {
        let text = Array(String(number).utf8)
        return [UInt8](repeating: UInt8(ascii: "0"), count: max(0, width - text.count)) + text
    }
}
