package import HTTP
package import Platform
import Synchronization

/// Requests over TCP to one server. Blocking; any number of threads may use it; connections are kept and used again.
///
/// A request on a kept connection that dies before the first byte of the response is sent once more on a fresh one,
/// if it is idempotent or nothing of it was written.
package final class SocketTransport: HTTPTransport {
    private enum Server: Sendable {
        case named(host: String, port: UInt16)
        case pinned(SocketAddress)
    }

    private struct Idle {
        var connection: ClientConnection
        var since: Int64
    }

    private static let idleConnectionsMax = 8
    /// Less than servers commonly keep a connection, so that a kept one is mostly alive.
    private static let idleMillisecondsMax: Int64 = 30_000

    private let server: Server
    private let hostField: String
    private let clock: any Clock
    private let pool = Mutex<[Idle]>([])

    /// To a host by name or numeric address; the name is resolved for each new connection.
    package init(host: String, port: UInt16, clock: any Clock = SystemClock()) {
        server = .named(host: host, port: port)
        hostField = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        self.clock = clock
    }

    /// To exactly this address, whatever the name in `Host` resolves to: for addresses that were checked.
    package init(pinned address: SocketAddress, hostHeader: String, clock: any Clock = SystemClock()) {
        (server, hostField, self.clock) = (.pinned(address), hostHeader, clock)
    }

    /// To the server of a URL; its path is not used.
    package convenience init(url text: String, clock: any Clock = SystemClock()) throws(HTTPClientError) {
        let url: HTTPURL
        do throws(HTTPURL.Failure) { url = try HTTPURL(text) } catch { throw .refusedURL(error.description) }
        guard url.scheme == .http else { throw .refusedURL("TLS comes with the egress gateway; use http://.") }
        self.init(host: url.host, port: url.port, clock: clock)
    }

    package func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse {
        var response = HTTPResponse(.ok)
        do {
            try stream(request, onHead: { response = $0 }) { bytes in
                guard response.body.count + bytes.count <= request.responseBytesMax else {
                    throw HTTPClientError.tooLarge
                }
                response.body.append(contentsOf: bytes)
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
        try check(request)
        let now = clock.monotonicMilliseconds()
        let deadline = now + Int64(request.deadlineMilliseconds)
        let startBy = request.startMilliseconds.map { now + Int64($0) }
        if let kept = takeKept() {
            do {
                return try exchange(request, on: kept, startBy, deadline, onHead, onBytes)
            } catch HTTPClientError.broken(_)
                where !kept.hasAnswered && (request.method.isIdempotent || !kept.hasWritten)
            {
                // The server had closed it: that says nothing about the request.
            }
        }
        let fresh = try connect(request, deadline)
        try exchange(request, on: fresh, startBy, deadline, onHead, onBytes)
    }

    private func check(_ request: HTTPClientRequest) throws(HTTPClientError) {
        do throws(HTTPParseFailure) {
            _ = try HTTPTarget(request.target)
        } catch { throw .refusedURL(error.detail) }
        guard request.fields.canBeSent else { throw .refusedURL("A request field has a control character.") }
        guard !hostField.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) else {
            throw .refusedURL("The host has a character that no host has.")
        }
        if request.cancellation?.isCancelled == true { throw .cancelled }
    }

    private func exchange(
        _ request: HTTPClientRequest, on connection: ClientConnection, _ startBy: Int64?, _ deadline: Int64,
        _ onHead: (HTTPResponse) throws -> Void, _ onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws {
        guard request.cancellation?.watch(connection.socket) ?? true else { throw HTTPClientError.cancelled }
        defer { request.cancellation?.unwatch(connection.socket) }
        do {
            let budget = ClientConnection.Budget(
                clock: clock, deadline: deadline, idleMilliseconds: request.idleMilliseconds)
            if let startBy, clock.monotonicMilliseconds() >= startBy { throw HTTPClientError.tooLate }
            try connection.write(request, host: hostField, budget)
            if try connection.read(request.method, budget, onHead, onBytes) { keep(connection) }
        } catch let error as HTTPClientError where request.cancellation?.isCancelled == true && error != .tooLarge {
            throw HTTPClientError.cancelled
        }
    }

    private func connect(_ request: HTTPClientRequest, _ deadline: Int64) throws(HTTPClientError) -> ClientConnection {
        var reason = "\(hostField) has no address"
        for address in try addresses() {
            let left = min(Int64(request.connectMilliseconds), deadline - clock.monotonicMilliseconds())
            guard left > 0 else { throw .unreachable("\(hostField): the time is up") }
            do throws(SystemError) {
                let socket = try TCP.connect(to: address, milliseconds: Int(left)) {
                    if request.cancellation?.watch($0) == false { TCP.shutdownBoth($0) }
                }
                request.cancellation?.unwatch(socket)
                return ClientConnection(socket)
            } catch { reason = error.description }
            if request.cancellation?.isCancelled == true { throw .cancelled }
        }
        throw .unreachable(reason)
    }

    private func addresses() throws(HTTPClientError) -> [SocketAddress] {
        switch server {
        case .pinned(let address): return [address]
        case .named(let host, let port):
            do throws(ResolveError) {
                return try SocketAddress.resolve(host, port: port)
            } catch { throw .unreachable(error.description) }
        }
    }

    private func takeKept() -> ClientConnection? {
        let now = clock.monotonicMilliseconds()
        while let idle = pool.withLock({ $0.popLast() }) {
            if now - idle.since <= Self.idleMillisecondsMax, idle.connection.isQuiet {
                idle.connection.startAgain()
                return idle.connection
            }
        }
        return nil
    }

    private func keep(_ connection: ClientConnection) {
        let idle = Idle(connection: connection, since: clock.monotonicMilliseconds())
        pool.withLock { if $0.count < Self.idleConnectionsMax { $0.append(idle) } }
    }
}
