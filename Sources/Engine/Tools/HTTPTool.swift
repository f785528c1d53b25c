import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// Sends one HTTP request to a checked address. Redirects are answers, not instructions.
struct HTTPTool: ToolImplementation {
    static let answerBytesMax = 10 << 20
    static let timeoutMsDefault: Int64 = 60_000
    static let requestFileBytesMax: Int64 = 64 << 20
    private static let recordedFields: [HTTPFieldName] = [
        "cache-control", "content-language", "content-length", "content-type", "date", "etag", "last-modified", "link",
        "location", "retry-after", "x-request-id",
    ]
    private static let okStatuses: ClosedRange<Int> = 200...299

    let egress: EgressRule
    /// Makes the connection to a checked address; a seam.
    let connect: @Sendable (SocketAddress, _ hostField: String) -> any HTTPTransport

    /// A request with its body file held open, so that what is sent is what was checked.
    private struct Ready: Sendable {
        var request: HTTPClientRequest
        var file: Descriptor?
        var isOnce: Bool
        var expected: [Int]
        var timeoutMs: Int64
        var masker: Masker
    }

    func prepare(_ call: ToolInput) throws(ToolFailure) -> PreparedCall {
        let url = try url(call)
        let ready = try ready(call, url)
        let address = try egress.address(of: url)
        let transport = connect(address, url.hostField)
        return PreparedCall { permit in Self.send(ready, over: transport, permit) }
    }

    private func url(_ call: ToolInput) throws(ToolFailure) -> HTTPURL {
        let url: HTTPURL
        do throws(HTTPURL.Failure) { url = try HTTPURL(call.text("url") ?? "") } catch {
            throw ToolFailure("url_refused", error.description, beforeStart: true)
        }
        guard url.scheme == .http else {
            throw ToolFailure(
                "tls_not_available", "https:// comes with the egress gateway; this release sends http:// only",
                beforeStart: true)
        }
        return url
    }

    private func ready(_ call: ToolInput, _ url: HTTPURL) throws(ToolFailure) -> Ready {
        guard let method = call.text("method").flatMap({ RequestMethod(rawValue: $0) }) else {
            throw ToolFailure("arguments_invalid", "expected a method such as GET", beforeStart: true)
        }
        var fields: HTTPFields = ["user-agent": "agentos-engine", "accept-encoding": "identity"]
        for (name, value) in call.arguments["headers"]?.objectValue ?? [:] {
            fields.set(HTTPFieldName(name), value.stringValue ?? "")
        }
        var request = HTTPClientRequest(HTTPMethod(rawValue: method.rawValue), url.target.raw, fields: fields)
        var file: Descriptor?
        var mediaType: String?
        if let json = call.arguments["json"] {
            (request.body, mediaType) = (.bytes(JSON.write(json)), MediaType.json)
        } else if let text = call.text("text") {
            (request.body, mediaType) = (.bytes(Array(text.utf8)), "text/plain; charset=utf-8")
        } else if let path = call.text("body_file") {
            let opened = try open(path, call)
            (file, mediaType) = (opened.file, MediaType.of(path))
            request.body = .file(path: opened.file.reopenPath, length: opened.size)
        }
        if let mediaType, !request.fields.contains(.contentType) { request.fields.append(.contentType, mediaType) }
        return Ready(
            request: request, file: file, isOnce: method.effect == .once, expected: Self.expected(call),
            timeoutMs: call.timeoutMs ?? Self.timeoutMsDefault, masker: call.masker)
    }

    private func open(_ path: String, _ call: ToolInput) throws(ToolFailure) -> (file: Descriptor, size: Int64) {
        do throws(SystemError) {
            let file = try call.workdir.folder.open(path)
            let status = try file.status()
            guard status.kind == .file else { throw SystemError("open", path, number: 21) }
            guard status.sizeBytes <= Self.requestFileBytesMax else { throw SystemError("read", path, number: 27) }
            return (file, status.sizeBytes)
        } catch {
            throw ToolFailure("body_file_unreadable", "body_file \(path): \(error)", beforeStart: true)
        }
    }

    private static func expected(_ call: ToolInput) -> [Int] {
        switch call.arguments["expect_status"] {
        case .integer(let status): [Int(status)]
        case .array(let statuses): statuses.compactMap { $0.intValue.map(Int.init) }
        default: []
        }
    }

    // MARK: Sending

    private static func send(
        _ ready: Ready, over transport: any HTTPTransport, _ permit: PreparedCall.Permit
    ) -> Result<JSONObject, ToolFailure> {
        let cancellation = HTTPCancellation()
        var request = ready.request
        request.cancellation = cancellation
        request.deadlineMilliseconds = Int(clamping: ready.timeoutMs)
        // Later than the permit nothing may be sent.
        request.startMilliseconds = Int(permit.leftMs)
        request.connectMilliseconds = max(1, Int(min(permit.leftMs, ready.timeoutMs)))
        var response: HTTPResponse?
        var body: [UInt8] = []
        var isTooLarge = false
        do {
            try permit.stop.onStop({ _ in cancellation.cancel() }) {
                try transport.stream(request, onHead: { response = $0 }) { bytes in
                    isTooLarge = body.count + bytes.count > answerBytesMax
                    body += bytes.prefix(answerBytesMax - body.count)
                    return !isTooLarge
                }
            }
        } catch {
            // With a status in hand the outcome is known, whatever became of the body.
            if let response, ready.isOnce { return result(ready, response, body, isCut: true) }
            return .failure(failure(error, stopped: permit.stop.cause, ready.masker))
        }
        withExtendedLifetime(ready.file) {}
        guard let response else {
            return .failure(ToolFailure("network_error", "there was no answer", retryable: true, uncertain: true))
        }
        if isTooLarge, !ready.isOnce {
            return .failure(
                ToolFailure(
                    "response_too_large", "the answer is larger than \(answerBytesMax) bytes",
                    details: ["status": .integer(Int64(response.status.code))]))
        }
        return result(ready, response, body, isCut: isTooLarge)
    }

    private static func failure(_ error: any Error, stopped: StopSignal.Cause?, _ masker: Masker) -> ToolFailure {
        guard let error = error as? HTTPClientError else {
            return ToolFailure("network_error", masker.masked("\(error)"), retryable: true, uncertain: true)
        }
        let sentence = masker.masked("\(error)")
        switch error {
        case .unreachable: return ToolFailure("connect_failed", sentence, retryable: true, beforeStart: true)
        case .tooLate: return ToolFailure(StepExecutor.permitUnused, sentence, retryable: true, beforeStart: true)
        case .refusedURL: return ToolFailure("url_refused", sentence, beforeStart: true)
        case .timeout: return ToolFailure("timeout", sentence, retryable: true, uncertain: true)
        case .broken, .protocolError, .tooLarge:
            return ToolFailure("network_error", sentence, retryable: true, uncertain: true)
        case .cancelled: return .stopped(stopped ?? .cancelled, uncertain: true)
        }
    }

    private static func result(
        _ ready: Ready, _ response: HTTPResponse, _ body: [UInt8], isCut: Bool
    ) -> Result<JSONObject, ToolFailure> {
        let status = response.status.code
        var output: JSONObject = ["status": .integer(Int64(status))]
        var fields: JSONObject = [:]
        for name in recordedFields {
            if let value = response.fields[name] { fields[name.text] = .string(ready.masker.masked(value)) }
        }
        output["headers"] = .object(fields)
        output["bytes"] = .integer(Int64(body.count))
        if isCut { output["body_incomplete"] = true }
        if !isCut, isJSON(response), let json = try? JSON.parse(body),
            let recorded = RecordedText.capped(json, ready.masker)
        {
            output["json"] = recorded
        } else {
            var capture = OutputCapture(ready.masker)
            capture.add(body[...])
            capture.write("text", to: &output)
        }
        let isExpected = ready.expected.isEmpty ? okStatuses.contains(status) : ready.expected.contains(status)
        if isExpected { return .success(output) }
        return .failure(
            ToolFailure(
                "http_status", "the answer is \(response.status), which the step does not expect",
                retryable: isWorthRetrying(status, isOnce: ready.isOnce), details: output))
    }

    /// What may have been half done is tried again only when the server says that it did nothing.
    private static func isWorthRetrying(_ status: Int, isOnce: Bool) -> Bool {
        isOnce ? [429, 503].contains(status) : [408, 425, 429, 500, 502, 503, 504].contains(status)
    }

    private static func isJSON(_ response: HTTPResponse) -> Bool {
        let type = response.fields[.contentType]?.split(separator: ";").first.map { $0.lowercased() } ?? ""
        return type.hasPrefix(MediaType.json) || type.hasSuffix("+json ") || type.hasSuffix("+json")
    }
}
