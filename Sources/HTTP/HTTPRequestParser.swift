/// How the body of a request is delimited and what the client asked of the connection.
package struct HTTPRequestFraming: Sendable, Hashable {
    package enum Body: Sendable, Hashable {
        case none
        case length(Int)
        case chunked
    }

    package var body: Body
    /// HTTP/1.0: no chunked answers, no `100 Continue`.
    package var isVersion10: Bool
    package var keepsAlive: Bool
    package var expectsContinue: Bool

    package init(body: Body, isVersion10: Bool, keepsAlive: Bool, expectsContinue: Bool) {
        (self.body, self.isVersion10) = (body, isVersion10)
        (self.keepsAlive, self.expectsContinue) = (keepsAlive, expectsContinue)
    }
}

/// Reads requests from bytes, however they are split. Strict: there is one reading of a message or none.
///
/// Feed ``receive(_:)``, ask ``next()`` until it gives nil. After a failure nothing more comes out of it.
package struct HTTPRequestParser: Sendable {
    package enum Event: Sendable, Hashable {
        case head(HTTPRequest, HTTPRequestFraming)
        case body(ArraySlice<UInt8>)
        case end
    }

    private enum State: Sendable {
        case requestLine
        case fields
        case length(remaining: Int)
        case chunked(ChunkedDecoder)
        case end
        case failed(HTTPParseFailure)
    }

    private let limits: HTTPLimits
    private var input = HTTPInput()
    private var state = State.requestLine
    private var head = RequestHead()
    /// The `Host` of the request before: clients repeat it, so it is checked once.
    private var checkedHost: [UInt8] = []

    /// The most that the body of the current request may have; back to the limit's default with each head.
    package var bodyBytesMax: Int

    package init(limits: HTTPLimits = .standard) {
        self.limits = limits
        bodyBytesMax = limits.bodyBytesMax
    }

    package mutating func receive(_ bytes: UnsafeRawBufferPointer) { input.append(bytes) }
    package mutating func receive(_ bytes: [UInt8]) { bytes.withUnsafeBytes { input.append($0) } }

    /// Bytes received and not used yet.
    package var bufferedBytes: Int { input.count }
    /// Whether a message has begun and is not complete.
    package var isInsideMessage: Bool {
        switch state {
        case .requestLine: head.bytes > 0 || !input.isEmpty
        case .fields, .length, .chunked, .end: true
        case .failed: false
        }
    }

    /// The next event; nil when more bytes are needed.
    package mutating func next() throws(HTTPParseFailure) -> Event? {
        do throws(HTTPParseFailure) {
            return try advance()
        } catch {
            input.releaseAll()
            state = .failed(error)
            throw error
        }
    }

    /// The client sends no more: throws when that is in the middle of a message.
    package mutating func end() throws(HTTPParseFailure) {
        switch state {
        case .requestLine:
            if isInsideMessage { throw .badRequestLine("The connection ended within the request line.") }
        case .fields: throw .badHeader("The connection ended within the head.")
        case .length: throw .badFraming("The connection ended within the body.")
        case .chunked: throw .badChunk("The connection ended before the last chunk.")
        case .end: break
        case .failed(let failure): throw failure
        }
    }

    private mutating func advance() throws(HTTPParseFailure) -> Event? {
        while true {
            switch state {
            case .requestLine:
                guard try readRequestLine() else { return nil }
            case .fields:
                guard let isLast = try readField() else { return nil }
                if isLast { return try finishHead() }
            case .length(0): state = .end
            case .length(let remaining):
                if input.isEmpty {
                    input.release()
                    return nil
                }
                let bytes = input.take(upTo: remaining)
                state = .length(remaining: remaining - bytes.count)
                return .body(bytes)
            case .chunked(var decoder):
                let event = try decoder.next(&input, limits: limits, bodyBytesMax: bodyBytesMax)
                state = .chunked(decoder)
                switch event {
                case .incomplete:
                    input.release()
                    return nil
                case .body(let bytes): return .body(bytes)
                case .end: state = .end
                }
            case .end:
                state = .requestLine
                input.release()
                return .end
            case .failed(let failure): throw failure
            }
        }
    }

    private mutating func readRequestLine() throws(HTTPParseFailure) -> Bool {
        switch input.line(max: limits.requestLineBytesMax - 2) {
        case .incomplete: return false
        case .tooLong: throw .uriTooLong
        case .bareLineEnd: throw .badHeader("The request line must end with CR LF.")
        case .complete(let line) where line.isEmpty && head.bytes == 0:
            // RFC 9112 2.2: one empty line before a request is a habit of old clients.
            head.bytes = 2
        case .complete(let line):
            head.bytes += line.count + 2
            try head.read(requestLine: input.bytes[line])
            state = .fields
        }
        return true
    }

    /// Reads one field line. True at the end of the head, nil when bytes are missing.
    private mutating func readField() throws(HTTPParseFailure) -> Bool? {
        switch input.line(max: limits.headBytesMax - head.bytes - 2) {
        case .incomplete: return nil
        case .tooLong: throw .headTooLarge
        case .bareLineEnd: throw .badHeader("A header line must end with CR LF.")
        case .complete(let line) where line.isEmpty: return true
        case .complete(let line):
            head.bytes += line.count + 2
            guard head.fields.count < limits.fieldsMax else { throw .tooManyFields }
            try head.read(field: line, of: input.bytes)
            return false
        }
    }

    private mutating func finishHead() throws(HTTPParseFailure) -> Event {
        let framing = try head.framing(checkedHost: &checkedHost)
        let request = HTTPRequest(head.method, try head.finishTarget(host: checkedHost), fields: head.fields)
        head = RequestHead()
        bodyBytesMax = limits.bodyBytesMax
        switch framing.body {
        case .none: state = .end
        case .length(let length): state = .length(remaining: length)
        case .chunked: state = .chunked(ChunkedDecoder())
        }
        return .head(request, framing)
    }
}

/// The head of a request while its lines come in.
private struct RequestHead: Sendable {
    var bytes = 0
    var method = HTTPMethod.get
    var fields = HTTPFields()
    private var target: HTTPTarget?
    /// From a target in absolute form.
    private var authority: HTTPAuthority?
    private var isVersion10 = false
    private var hosts = 0
    private var hostBytes: [UInt8]?
    private var message = MessageFraming()
    private var expectation: [UInt8]?

    mutating func read(requestLine line: ArraySlice<UInt8>) throws(HTTPParseFailure) {
        guard let first = line.firstIndex(of: ASCII.space), let last = line.lastIndex(of: ASCII.space),
            first < last - 1,
            last < line.endIndex - 1
        else { throw .badRequestLine("A request line is a method, a target and a version, one space between them.") }
        let name = line[..<first]
        let version = line[(last + 1)...]
        let raw = line[(first + 1)..<last]
        guard !name.isEmpty, name.allSatisfy(ASCII.token.contains) else {
            throw .badRequestLine("The method is not a token.")
        }
        guard !raw.contains(ASCII.space) else { throw .badRequestLine("The target must not contain spaces.") }
        try read(version: version)
        guard let method = Self.method(name) else {
            throw .init(.notImplemented, "method_not_implemented", "The method is not implemented here.")
        }
        self.method = method
        try read(target: raw)
    }

    private mutating func read(version: ArraySlice<UInt8>) throws(HTTPParseFailure) {
        guard version.count == 8, version.starts(with: "HTTP/1.".utf8), ASCII.isDigit(version[version.endIndex - 1])
        else {
            throw .init(.versionNotSupported, "version_not_supported", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
        }
        isVersion10 = version.last == UInt8(ascii: "0")
    }

    private static func method(_ name: ArraySlice<UInt8>) -> HTTPMethod? {
        HTTPMethod.implemented.first { name.elementsEqual($0.rawValue.utf8) }
    }

    private mutating func read(target raw: ArraySlice<UInt8>) throws(HTTPParseFailure) {
        let text = String(decoding: raw, as: UTF8.self)
        if raw.first == ASCII.slash {
            target = try HTTPTarget(text)
        } else if text == "*" {
            guard method == .options else { throw .badTarget("Only OPTIONS can be about the whole server.") }
            target = try HTTPTarget(text)
        } else {
            do throws(HTTPURL.Failure) {
                let url = try HTTPURL(text)
                guard url.scheme == .http else { throw HTTPURL.Failure(description: "The scheme must be http.") }
                authority = HTTPAuthority(url.hostField)
                target = url.target
            } catch { throw .badTarget("The target is neither a path nor a URL of this server. \(error)") }
        }
    }

    mutating func read(field line: Range<Int>, of bytes: [UInt8]) throws(HTTPParseFailure) {
        let field = try FieldLine(bytes, line)
        let name = bytes[field.name]
        let value = bytes[field.value]
        let isTransferEncoding = MessageFraming.isTransferEncoding(name)
        if isTransferEncoding, bytes[line].dropFirst(name.count + 1).first == ASCII.tab {
            throw .badFraming("Transfer-Encoding must not hide behind a tab.")
        }
        for byte in value where ASCII.isControl(byte) {
            if isTransferEncoding { throw .badFraming("Transfer-Encoding has a control character.") }
            guard byte == ASCII.tab else { throw .badHeader("A header value has a control character.") }
        }
        bytes.withUnsafeBufferPointer {
            fields.appendLine(name: .init(rebasing: $0[field.name]), value: .init(rebasing: $0[field.value]))
        }
        switch name.count {
        case 4 where ASCII.equal(name, "host"):
            hosts += 1
            hostBytes = Array(value)
        case 6 where ASCII.equal(name, "expect"): expectation = (expectation.map { $0 + [ASCII.comma] } ?? []) + value
        default: message.note(name: name, value: value)
        }
    }

    mutating func framing(checkedHost: inout [UInt8]) throws(HTTPParseFailure) -> HTTPRequestFraming {
        try checkHost(&checkedHost)
        let body = try message.requestBody(isVersion10: isVersion10)
        var expectsContinue = false
        if let expectation, !isVersion10 {
            guard ASCII.equal(expectation[...], "100-continue") else {
                throw .init(
                    .expectationFailed, "expectation_failed", "Only the expectation 100-continue is known here.")
            }
            expectsContinue = body != .none && body != .length(0)
        }
        return HTTPRequestFraming(
            body: body, isVersion10: isVersion10, keepsAlive: message.keepsAlive(isVersion10: isVersion10),
            expectsContinue: expectsContinue)
    }

    private func checkHost(_ checkedHost: inout [UInt8]) throws(HTTPParseFailure) {
        guard hosts <= 1 else { throw .badHost("There must be one Host field, not \(hosts).") }
        guard let hostBytes else {
            guard isVersion10 else { throw .badHost("The Host field is missing.") }
            checkedHost = []
            return
        }
        if hostBytes == checkedHost, !hostBytes.isEmpty { return }
        guard HTTPAuthority(hostBytes) != nil else {
            throw .badHost("The Host field is not a host and perhaps a port.")
        }
        checkedHost = hostBytes
    }

    func finishTarget(host: [UInt8]) throws(HTTPParseFailure) -> HTTPTarget {
        guard let target else { preconditionFailure("a head ends behind its request line") }
        if let authority, !host.isEmpty, let named = HTTPAuthority(host),
            named.host != authority.host || named.port ?? 80 != authority.port ?? 80
        {
            throw .init(
                .misdirectedRequest, "host_not_allowed", "The target and the Host field name different servers.")
        }
        return target
    }
}
