/// Reads responses from bytes, however they are split; as strict as ``HTTPRequestParser``.
///
/// Say which method each response answers, feed ``receive(_:)``, ask ``next()`` until it gives nil.
package struct HTTPResponseParser: Sendable {
    package enum Event: Sendable, Hashable {
        /// The final head; `keepsAlive` says whether the connection can take another request after the body.
        case head(HTTPResponse, keepsAlive: Bool)
        case body(ArraySlice<UInt8>)
        case end
    }

    private enum State: Sendable {
        case statusLine
        case fields
        case length(remaining: Int)
        case chunked(ChunkedDecoder)
        case untilClose
        case end
        case idle
        case failed(HTTPParseFailure)
    }

    /// More interim responses than this are not an answer.
    private static let interimMax = 16

    private let limits: HTTPLimits
    private var input = HTTPInput()
    private var state = State.idle
    private var isHead = false
    private var interim = 0
    private var headBytes = 0
    private var status = HTTPStatus.ok
    private var isVersion10 = false
    private var fields = HTTPFields()
    private var message = MessageFraming()

    package init(limits: HTTPLimits = .standard) { self.limits = limits }

    /// A request was sent: the next response is its answer.
    package mutating func expectResponse(to method: HTTPMethod) {
        guard case .idle = state else { preconditionFailure("the response before is not complete") }
        (isHead, interim) = (method == .head, 0)
        startHead()
    }

    package mutating func receive(_ bytes: UnsafeRawBufferPointer) { input.append(bytes) }
    package mutating func receive(_ bytes: [UInt8]) { bytes.withUnsafeBytes { input.append($0) } }

    /// Bytes received and not used yet: between responses there must be none.
    package var bufferedBytes: Int { input.count }

    /// The next event; nil when more bytes are needed, or another ``expectResponse(to:)``.
    package mutating func next() throws(HTTPParseFailure) -> Event? {
        do throws(HTTPParseFailure) {
            return try advance()
        } catch {
            input.releaseAll()
            state = .failed(error)
            throw error
        }
    }

    /// The server sends no more: ends a body that lasts until then, throws in the middle of anything else.
    package mutating func end() throws(HTTPParseFailure) -> Event? {
        switch state {
        case .untilClose, .end, .length(0):
            state = .idle
            return .end
        case .idle: return nil
        case .failed(let failure): throw failure
        case .statusLine, .fields, .length, .chunked: throw .badFraming("The connection ended within the response.")
        }
    }

    private mutating func startHead() {
        (state, headBytes, fields, message) = (.statusLine, 0, HTTPFields(), MessageFraming())
    }

    private mutating func advance() throws(HTTPParseFailure) -> Event? {
        while true {
            switch state {
            case .statusLine:
                guard try readStatusLine() else { return nil }
            case .fields:
                guard let isLast = try readField() else { return nil }
                if isLast, let event = try finishHead() { return event }
            case .length(0): state = .end
            case .length(let remaining):
                guard let bytes = take(remaining) else { return nil }
                state = .length(remaining: remaining - bytes.count)
                return .body(bytes)
            case .untilClose: return take(.max).map { .body($0) }
            case .chunked(var decoder):
                let event = try decoder.next(&input, limits: limits, bodyBytesMax: .max)
                state = .chunked(decoder)
                switch event {
                case .incomplete:
                    input.release()
                    return nil
                case .body(let bytes): return .body(bytes)
                case .end: state = .end
                }
            case .end:
                state = .idle
                input.release()
                return .end
            case .idle: return nil
            case .failed(let failure): throw failure
            }
        }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        if input.isEmpty {
            input.release()
            return nil
        }
        return input.take(upTo: count)
    }

    private mutating func readStatusLine() throws(HTTPParseFailure) -> Bool {
        switch input.line(max: limits.requestLineBytesMax - 2) {
        case .incomplete: return false
        case .tooLong: throw .headTooLarge
        case .bareLineEnd: throw .badStatusLine("The status line must end with CR LF.")
        case .complete(let range):
            headBytes = range.count + 2
            let line = input.bytes[range]
            let code = line.dropFirst(9).prefix(3)
            guard line.count >= 12, line.starts(with: "HTTP/1.".utf8), ASCII.isDigit(line[line.startIndex + 7]),
                line[line.startIndex + 8] == ASCII.space, let number = ASCII.decimal(code),
                (100...599).contains(number),
                line.count == 12 || line[line.startIndex + 12] == ASCII.space,
                !line.contains(where: { ASCII.isControl($0) && $0 != ASCII.tab })
            else { throw .badStatusLine("The status line is not one of HTTP/1.1.") }
            isVersion10 = line[line.startIndex + 7] == UInt8(ascii: "0")
            status = HTTPStatus(code: number)
            state = .fields
            return true
        }
    }

    private mutating func readField() throws(HTTPParseFailure) -> Bool? {
        switch input.line(max: limits.headBytesMax - headBytes - 2) {
        case .incomplete: return nil
        case .tooLong: throw .headTooLarge
        case .bareLineEnd: throw .badHeader("A header line must end with CR LF.")
        case .complete(let line) where line.isEmpty: return true
        case .complete(let line):
            headBytes += line.count + 2
            guard fields.count < limits.fieldsMax else { throw .tooManyFields }
            let field = try FieldLine(input.bytes, line)
            let value = input.bytes[field.value]
            guard !value.contains(where: { ASCII.isControl($0) && $0 != ASCII.tab }) else {
                throw .badHeader("A header value has a control character.")
            }
            message.note(name: input.bytes[field.name], value: value)
            input.bytes.withUnsafeBufferPointer {
                fields.appendLine(name: .init(rebasing: $0[field.name]), value: .init(rebasing: $0[field.value]))
            }
            return false
        }
    }

    /// Decides how the body ends (RFC 9112 6.3); nil for an interim response.
    private mutating func finishHead() throws(HTTPParseFailure) -> Event? {
        if status.isInformational {
            interim += 1
            guard status != .switchingProtocols, interim <= Self.interimMax else {
                throw .badFraming("The server gave no final response.")
            }
            startHead()
            return nil
        }
        let isChunked = try message.isChunked(isVersion10: isVersion10)
        let length = try message.contentLength()
        var keepsAlive = message.keepsAlive(isVersion10: isVersion10)
        if isHead || status.forbidsBody {
            state = .end
        } else if isChunked {
            state = .chunked(ChunkedDecoder())
        } else if let length {
            state = .length(remaining: length)
        } else {
            state = .untilClose
            keepsAlive = false
        }
        return .head(HTTPResponse(status, fields: fields), keepsAlive: keepsAlive)
    }
}
