import CLinux

/// An IPv4 or IPv6 address with a port, as the kernel takes it.
package struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Host: Hashable, Sendable {
        case v4([UInt8])
        case v6([UInt8])
    }

    package var host: Host
    package var port: UInt16

    package init(host: Host, port: UInt16) { (self.host, self.port) = (host, port) }

    /// Reads a numeric address; nil for a name or anything else (`127.1` and the like included).
    package init?(numeric: String, port: UInt16) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, numeric, &v4) == 1 {
            self.init(host: .v4(withUnsafeBytes(of: v4) { Array($0) }), port: port)
        } else if inet_pton(AF_INET6, numeric, &v6) == 1 {
            self.init(host: .v6(withUnsafeBytes(of: v6) { Array($0) }), port: port)
        } else {
            return nil
        }
    }

    /// All addresses a name resolves to, in the resolver's order. Blocks; throws a sentence.
    package static func resolve(_ name: String, port: UInt16) throws(ResolveError) -> [SocketAddress] {
        if let numeric = SocketAddress(numeric: name, port: port) { return [numeric] }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(name, nil, &hints, &list)
        guard result == 0 else { throw ResolveError(name: name, reason: String(cString: gai_strerror(result))) }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = SocketAddress(entry.ai_addr, port: port) { found.append(address) }
            next = entry.ai_next
        }
        return found
    }

    package var description: String {
        switch host {
        case .v4: "\(hostText):\(port)"
        case .v6: "[\(hostText)]:\(port)"
        }
    }

    /// The address without the port.
    package var hostText: String {
        var text = [CChar](repeating: 0, count: 64)
        switch host {
        case .v4(let bytes): inet_ntop(AF_INET, bytes, &text, 64)
        case .v6(let bytes): inet_ntop(AF_INET6, bytes, &text, 64)
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// 127.0.0.0/8 and ::1.
    package var isLoopback: Bool {
        switch host {
        case .v4(let bytes): bytes[0] == 127
        case .v6(let bytes): bytes == [UInt8](repeating: 0, count: 15) + [1]
        }
    }

    var family: Int32 {
        switch host {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }

    init?(_ pointer: UnsafePointer<sockaddr>, port: UInt16?) {
        switch Int32(pointer.pointee.sa_family) {
        case AF_INET:
            let address = UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in.self)
            self.init(
                host: .v4(withUnsafeBytes(of: address.sin_addr) { Array($0) }),
                port: port ?? UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in6.self)
            self.init(
                host: .v6(withUnsafeBytes(of: address.sin6_addr) { Array($0) }),
                port: port ?? UInt16(bigEndian: address.sin6_port))
        default: return nil
        }
    }

    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { buffer in
            let length: Int
            switch host {
            case .v4(let bytes):
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: bytes) }
                length = MemoryLayout<sockaddr_in>.size
                buffer.storeBytes(of: address, as: sockaddr_in.self)
            case .v6(let bytes):
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: bytes) }
                length = MemoryLayout<sockaddr_in6>.size
                buffer.storeBytes(of: address, as: sockaddr_in6.self)
            }
            return body(buffer.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
        }
    }
}

/// A name that does not resolve.
package struct ResolveError: Error, Hashable, CustomStringConvertible {
    package var name: String
    package var reason: String
    package var description: String { "cannot resolve \(name): \(reason)" }
}

/// TCP connections: the socket half of the net seam. Protocol code never sees one.
package enum TCP {
    /// A non-blocking socket that accepts connections at `address`; port 0 lets the kernel choose.
    package static func listen(at address: SocketAddress, backlog: Int32 = 1024) throws(SystemError) -> Descriptor {
        let socket = Descriptor(Int32(try systemCall("socket") { Int(aos_socket(address.family)) }))
        set(socket, SOL_SOCKET, SO_REUSEADDR)
        try systemCall("bind", "\(address)") {
            address.withSockaddr { Int(aos_bind(socket.number, $0, $1)) }
        }
        try systemCall("listen", "\(address)") { Int(CLinux.listen(socket.number, backlog)) }
        socket.setNonBlocking(true)
        return socket
    }

    /// The next waiting connection, non-blocking, with small writes sent at once; nil when there is none.
    package static func accept(from listener: Descriptor) throws(SystemError) -> Descriptor? {
        while true {
            let number = aos_accept(listener.number)
            if number >= 0 {
                let socket = Descriptor(number)
                set(socket, Int32(IPPROTO_TCP), TCP_NODELAY)
                return socket
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EAGAIN: return nil
            default: throw SystemError("accept")
            }
        }
    }

    /// A connected, blocking socket. Throws a time-out when the other end does not answer in time.
    /// - Parameter opened: Gets the socket before it connects, so that another thread can shut it down.
    package static func connect(
        to address: SocketAddress, milliseconds: Int, opened: (Descriptor) -> Void = { _ in }
    ) throws(SystemError) -> Descriptor {
        let socket = Descriptor(Int32(try systemCall("socket") { Int(aos_socket(address.family)) }))
        opened(socket)
        set(socket, Int32(IPPROTO_TCP), TCP_NODELAY)
        socket.setNonBlocking(true)
        let result = address.withSockaddr { aos_connect(socket.number, $0, $1) }
        if result < 0 {
            guard errno == EINPROGRESS || errno == EINTR else { throw SystemError("connect", "\(address)") }
            guard try socket.waitWritable(milliseconds: milliseconds) else {
                throw SystemError("connect", "\(address)", number: ETIMEDOUT)
            }
            var failure: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(socket.number, SOL_SOCKET, SO_ERROR, &failure, &length)
            guard failure == 0 else { throw SystemError("connect", "\(address)", number: failure) }
        }
        socket.setNonBlocking(false)
        return socket
    }

    /// The address this end of the socket is bound to.
    package static func localAddress(of socket: Descriptor) -> SocketAddress? { name(of: socket, aos_local_address) }

    /// The address of the other end.
    package static func peerAddress(of socket: Descriptor) -> SocketAddress? { name(of: socket, aos_peer_address) }

    /// Sends without raising SIGPIPE; nil when the socket's buffer is full.
    package static func send(_ bytes: UnsafeRawBufferPointer, to socket: Descriptor) throws(SystemError) -> Int? {
        while true {
            let sent = CLinux.send(socket.number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if sent >= 0 { return sent }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            default: throw SystemError("send")
            }
        }
    }

    /// Receives what is there: nil when nothing is yet, 0 at the end.
    package static func receive(
        into buffer: UnsafeMutableRawBufferPointer, from socket: Descriptor
    ) throws(SystemError) -> Int? {
        while true {
            let received = recv(socket.number, buffer.baseAddress, buffer.count, 0)
            if received >= 0 { return received }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            default: throw SystemError("recv")
            }
        }
    }

    /// Ends the sending half: the other end reads what is under way, then the end.
    package static func shutdownSending(_ socket: Descriptor) { shutdown(socket.number, Int32(SHUT_WR)) }

    /// Ends both halves, so that a thread blocked on the socket wakes.
    package static func shutdownBoth(_ socket: Descriptor) { shutdown(socket.number, Int32(SHUT_RDWR)) }

    private static func set(_ socket: Descriptor, _ level: Int32, _ option: Int32) {
        var on: Int32 = 1
        setsockopt(socket.number, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func name(
        of socket: Descriptor,
        _ ask: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                ask(socket.number, address, &length) == 0 ? SocketAddress(address, port: nil) : nil
            }
        }
    }
}
