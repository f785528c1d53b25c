package import HTTP
package import Platform

/// Where the engine may connect to for a run: the public net, and exactly what the operator has named besides.
package struct EgressRule: Sendable {
    private let allowed: [HTTPAuthority]
    private let resolve: @Sendable (String, UInt16) throws(ResolveError) -> [SocketAddress]

    /// - Parameter resolve: The resolver, a seam.
    package init(
        allowed: [HTTPAuthority],
        resolve: @escaping @Sendable (String, UInt16) throws(ResolveError) -> [SocketAddress] = {
            (name, port) throws(ResolveError) in try SocketAddress.resolve(name, port: port)
        }
    ) {
        (self.allowed, self.resolve) = (allowed, resolve)
    }

    /// The one address to connect to: resolved once and checked, so that nobody can answer otherwise later.
    package func address(of url: HTTPURL) throws(ToolFailure) -> SocketAddress {
        let found: [SocketAddress]
        do throws(ResolveError) { found = try resolve(url.host, url.port) } catch {
            throw ToolFailure("name_not_resolved", error.description, retryable: true, beforeStart: true)
        }
        guard let first = found.first else {
            throw ToolFailure("name_not_resolved", "\(url.host) has no address", retryable: true, beforeStart: true)
        }
        if allowed.contains(where: { $0.host == url.host && $0.port == url.port }) { return first }
        // All of them: a name with one address inside is not to be trusted with the other.
        if let bad = found.first(where: { !AddressTable.isGlobalUnicast($0.host) }) {
            throw ToolFailure(
                "egress_refused",
                "\(url.host) is \(bad.hostText), which is not on the public net; EGRESS_ALLOW=\(url.host):\(url.port)"
                    + " would allow it", beforeStart: true)
        }
        return first
    }
}
