import Engine
import Platform
import Testing

@Suite struct AddressTableTests {
    @Test(arguments: [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1",
        "::127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1",
        "2001:db8::1", "2002:c0a8:101::1", "3fff::1", "5f00::1", "fc00::1", "fd12::1", "fe80::1", "fec0::1", "ff02::1",
    ])
    func `addresses that are not on the public net`(_ text: String) throws {
        let address = try #require(SocketAddress(numeric: text, port: 80))
        #expect(!AddressTable.isGlobalUnicast(address.host))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.167.1.1", "198.17.0.1",
        "223.255.255.254", "2606:4700::1111", "2001:4860:4860::8888", "2a00:1450::1", "::ffff:8.8.8.8",
        "64:ff9b::808:808",
    ])
    func `addresses on the public net`(_ text: String) throws {
        let address = try #require(SocketAddress(numeric: text, port: 80))
        #expect(AddressTable.isGlobalUnicast(address.host))
    }
}
