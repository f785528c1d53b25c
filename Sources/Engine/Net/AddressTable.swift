package import Platform

/// Which addresses are on the public net. All else (this machine, the local net, other protocols' tunnels into them)
/// is reached only when it is allowed by name.
package enum AddressTable {
    /// RFC 6890 and its successors: what is not globally reachable, and what no request should go to.
    private static let refusedV4: [(address: [UInt8], bits: Int)] = [
        ([0, 0, 0, 0], 8), ([10, 0, 0, 0], 8), ([100, 64, 0, 0], 10), ([127, 0, 0, 0], 8), ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12), ([192, 0, 0, 0], 24), ([192, 0, 2, 0], 24), ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16), ([198, 18, 0, 0], 15), ([198, 51, 100, 0], 24), ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 4), ([240, 0, 0, 0], 4),
    ]

    /// Inside 2000::/3, the only global unicast range there is.
    private static let refusedV6: [(address: [UInt8], bits: Int)] = [
        ([0x20, 0x01, 0x00], 23),  // protocol assignments: Teredo, ORCHID, benchmarking
        ([0x20, 0x01, 0x0D, 0xB8], 32),  // documentation
        ([0x20, 0x02], 16),  // 6to4: an IPv4 address in disguise
        ([0x3F, 0xFF, 0x00], 20),  // documentation
    ]

    package static func isGlobalUnicast(_ host: SocketAddress.Host) -> Bool {
        switch host {
        case .v4(let bytes): isGlobalV4(bytes)
        case .v6(let bytes): isGlobalV6(bytes)
        }
    }

    private static func isGlobalV4(_ bytes: [UInt8]) -> Bool {
        !refusedV4.contains { isIn(bytes, $0.address, $0.bits) }
    }

    private static func isGlobalV6(_ bytes: [UInt8]) -> Bool {
        let zeros = [UInt8](repeating: 0, count: 10)
        // v4-mapped, and NAT64's well-known prefix: what counts is the address inside.
        if isIn(bytes, zeros + [0xFF, 0xFF], 96) { return isGlobalV4(Array(bytes[12...])) }
        if isIn(bytes, [0x00, 0x64, 0xFF, 0x9B] + zeros.prefix(8), 96) { return isGlobalV4(Array(bytes[12...])) }
        return isIn(bytes, [0x20], 3) && !refusedV6.contains { isIn(bytes, $0.address, $0.bits) }
    }

    private static func isIn(_ address: [UInt8], _ prefix: [UInt8], _ bits: Int) -> Bool {
        for index in 0..<bits / 8 where address[index] != prefix[index] { return false }
        let rest = bits % 8
        guard rest > 0 else { return true }
        return (address[bits / 8] ^ prefix[bits / 8]) >> (8 - rest) == 0
    }
}
