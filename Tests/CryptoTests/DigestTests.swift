import Testing

@testable import Crypto

/// Against published vectors.
struct DigestTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// FIPS 180-4 examples.
    static let vectors: [(String, String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]

    @Test("SHA-256 gives the published digests, in one piece and in many", arguments: vectors)
    func sha256(_ text: String, _ expected: String) {
        let bytes = Array(text.utf8)
        #expect(SHA256.hex(bytes) == expected)
        #expect(SHA256.text(bytes) == "sha256:" + expected)
        #expect(hex(SHA256.digest(bytes)) == expected)
        for piece in [1, 3, 64, 100_000] where bytes.count / piece < 20_000 {
            let running = RunningSHA256()
            for start in stride(from: 0, to: bytes.count, by: piece) {
                running.update(bytes[start..<min(start + piece, bytes.count)])
            }
            #expect(running.hex() == expected)
        }
    }

    @Test("SHA-1 gives the published digests")
    func sha1() {
        #expect(hex(SHA1.digest([])) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        #expect(hex(SHA1.digest(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
    }

    @Test("HMAC-SHA-256 gives the digests of RFC 4231")
    func hmac() {
        #expect(
            HMACSHA256.hex(Array("Hi There".utf8), key: [UInt8](repeating: 0x0B, count: 20))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            HMACSHA256.hex(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            HMACSHA256.hex(
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                key: [UInt8](repeating: 0xAA, count: 131))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        #expect(HMACSHA256.hex([], key: []) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test("Comparing in constant time compares")
    func constantTime() {
        #expect(
            ConstantTime.equal([], []) && ConstantTime.equal([1, 2], [1, 2]) && ConstantTime.equal("token", "token"))
        #expect(
            !ConstantTime.equal([1], [1, 2]) && !ConstantTime.equal([1, 2], [1, 3]) && !ConstantTime.equal("", "t"))
        // By bytes: what Swift holds to be the same text is not the same token.
        #expect(!ConstantTime.equal("\u{E9}", "e\u{301}"))
    }
}
