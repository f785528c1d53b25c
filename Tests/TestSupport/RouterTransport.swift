package import HTTP
package import HTTPClient
package import HTTPServer
import Platform

/// The api without sockets: a request goes to the handler as the server would hand it over.
package final class RouterTransport: HTTPTransport {
    private let handler: any RequestHandler
    private let host: String

    package init(_ handler: any RequestHandler, host: String = "localhost") {
        (self.handler, self.host) = (handler, host)
    }

    package func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse {
        var response = HTTPResponse(.ok)
        do {
            try stream(request, onHead: { response = $0 }) { bytes in
                response.body += bytes
                return true
            }
        } catch let error as HTTPClientError {
            throw error
        } catch { preconditionFailure("a transport throws its own errors only: \(error)") }
        return response
    }

    package func stream(
        _ request: HTTPClientRequest, onHead: (HTTPResponse) throws -> Void,
        onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws {
        let deadline = SystemClock().monotonicMilliseconds() + Int64(request.deadlineMilliseconds)
        var reply = try answer(request)
        if case .later(let deferred) = reply {
            let given = Monitor<Reply?>(nil)
            deferred.attach { reply in given.update { $0 = reply } }
            guard let answered = given.wait(milliseconds: Self.left(deadline), until: { $0 }) else {
                deferred.cancel()
                throw HTTPClientError.timeout("the handler has not answered")
            }
            reply = answered
        }
        switch reply {
        case .later: throw HTTPClientError.protocolError("a deferred answer was deferred again")
        case .now(var response):
            if request.method == .head { response.body = [] }
            try onHead(HTTPResponse(response.status, fields: response.fields))
            if !response.body.isEmpty { _ = try onBytes(response.body[...]) }
        case .stream(let head, let source, _):
            let woken = Monitor(true)
            source.attach { woken.update { $0 = true } }
            defer { source.detach() }
            try onHead(HTTPResponse(head.status, fields: head.fields))
            if request.method == .head { return }
            try pull(source, woken, request, deadline, onBytes)
        }
    }

    private func pull(
        _ source: any BodySource, _ woken: Monitor<Bool>, _ request: HTTPClientRequest, _ deadline: Int64,
        _ onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws {
        while true {
            if request.cancellation?.isCancelled == true { throw HTTPClientError.cancelled }
            switch source.next(atMost: 64 << 10) {
            case .bytes(let bytes): if try !onBytes(bytes[...]) { return }
            case .end: return
            case .abort: throw HTTPClientError.broken("the source gave up")
            case .wait:
                guard
                    woken.wait(
                        milliseconds: Self.left(deadline),
                        until: { woken -> Bool? in
                            defer { woken = false }
                            return woken ? true : nil
                        }) != nil
                else { throw HTTPClientError.timeout("the stream is silent") }
            }
        }
    }

    private func answer(_ request: HTTPClientRequest) throws -> Reply {
        let target: HTTPTarget
        do throws(HTTPParseFailure) {
            target = try HTTPTarget(request.target)
        } catch { return .now(handler.problem(error)) }
        var head = HTTPRequest(request.method, target, fields: request.fields)
        if !head.fields.contains(.host) { head.fields.append(.host, host) }
        let body = try Self.bytes(request.body)
        switch handler.plan(for: head) {
        case .refuse(let response): return .now(response)
        case .buffer(let bytesMax):
            guard body.count <= bytesMax else { return .now(handler.problem(.payloadTooLarge)) }
            head.body = body
            return handler.handle(head)
        case .sink(let sink, let bytesMax):
            guard body.count <= bytesMax else {
                sink.abort()
                return .now(handler.problem(.payloadTooLarge))
            }
            for start in stride(from: 0, to: body.count, by: 10_000) {
                if let refusal = sink.write(body[start..<min(start + 10_000, body.count)]) { return .now(refusal) }
            }
            return sink.finish()
        }
    }

    private static func bytes(_ body: HTTPClientRequest.Body) throws -> [UInt8] {
        switch body {
        case .none: return []
        case .bytes(let bytes): return bytes
        case .file(let path, let length): return Array(try Files.read(path, bytesMax: 1 << 30).prefix(Int(length)))
        }
    }

    private static func left(_ deadline: Int64) -> Int64 {
        max(0, deadline - SystemClock().monotonicMilliseconds())
    }
}
