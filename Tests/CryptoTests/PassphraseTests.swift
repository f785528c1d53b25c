import Testing

@testable import Crypto

struct PassphraseTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var passphrase: String
        var salt: String
        var cost: Scrypt.Cost
        var key: String

        var testDescription: String { "'\(passphrase)', 2^\(cost.logN), \(cost.r), \(cost.p)" }
    }

    /// RFC 7914, 12; the last one takes a gibibyte and is left out.
    static let vectors = [
        Vector(
            passphrase: "", salt: "", cost: .init(logN: 4, r: 1, p: 1),
            key: "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"),
        Vector(
            passphrase: "password", salt: "NaCl", cost: .init(logN: 10, r: 8, p: 16),
            key: "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"),
        Vector(
            passphrase: "pleaseletmein", salt: "SodiumChloride", cost: .init(logN: 14, r: 8, p: 1),
            key: "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"),
    ]

    @Test("scrypt gives the published keys", arguments: vectors)
    func scrypt(_ vector: Vector) {
        let key = Scrypt.key(Array(vector.passphrase.utf8), salt: Array(vector.salt.utf8), vector.cost, byteCount: 64)
        #expect(key.map { HexText.of($0) } == vector.key)
    }

    @Test("A kept passphrase knows the passphrase again, also as text, and no other")
    func roundTrip() throws {
        let salt = [UInt8](0..<16)
        let hash = try #require(PassphraseHash(of: "correct horse", salt: salt))
        #expect(hash.text.hasPrefix("$scrypt$ln=15,r=8,p=1$000102030405060708090a0b0c0d0e0f$"))
        let read = try #require(PassphraseHash(text: hash.text))
        #expect(read == hash)
        #expect(read.matches("correct horse"))
        for other in ["correct horse ", "Correct horse", "", "correct hors"] { #expect(!read.matches(other)) }
        #expect(PassphraseHash(of: "correct horse", salt: [UInt8](1..<17)) != hash)
        #expect(!PassphraseHash.placeholder(salt: salt).matches(""))
    }

    @Test("The cost stands with the hash, so that one with another cost is still known")
    func otherCost() throws {
        let hash = try #require(
            PassphraseHash(of: "pass", salt: [UInt8](0..<16), cost: .init(logN: 4, r: 1, p: 1)))
        #expect(hash.text.hasPrefix("$scrypt$ln=4,r=1,p=1$"))
        #expect(try #require(PassphraseHash(text: hash.text)).matches("pass"))
    }

    static let salt = String(repeating: "0", count: 32)
    static let key = String(repeating: "0", count: 64)

    @Test(
        "What is no kept passphrase, or asks for more memory than there should be, is none",
        arguments: [
            "", "$scrypt$", "scrypt$ln=15,r=8,p=1$\(salt)$\(key)", "$argon2id$ln=15,r=8,p=1$\(salt)$\(key)",
            "$scrypt$ln=15,r=8$\(salt)$\(key)", "$scrypt$ln=x,r=8,p=1$\(salt)$\(key)",
            "$scrypt$ln=15,r=8,p=1$\(salt)", "$scrypt$ln=15,r=8,p=1$00$\(key)",
            "$scrypt$ln=15,r=8,p=1$\(salt)$0g", "$scrypt$ln=0,r=8,p=1$\(salt)$\(key)",
            "$scrypt$ln=24,r=32,p=1$\(salt)$\(key)", "$scrypt$ln=63,r=8,p=1$\(salt)$\(key)",
            "$scrypt$ln=15,r=-8,p=1$\(salt)$\(key)", "$scrypt$ln=15,r=8,p=1$\(salt)$\(key)$",
        ])
    func malformed(_ text: String) { #expect(PassphraseHash(text: text) == nil) }
}
