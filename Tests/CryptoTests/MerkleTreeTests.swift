import Testing

@testable import Crypto

/// RFC 6962's tree, C2SP's notes, RFC 8032's signatures, against values that were computed by other programs.
struct MerkleTreeTests {
    /// The leaves of the test data that implementations of RFC 6962 share.
    private static let leaves: [[UInt8]] = [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
        [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        [0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F],
    ]
    /// Computed with Python's hashlib, by the recursive definition of RFC 6962, 2.1.
    private static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    private func frontier(_ count: Int) -> MerkleFrontier {
        var frontier = MerkleFrontier()
        for leaf in Self.leaves.prefix(count) { frontier.append(leaf: MerkleTree.leaf(leaf)) }
        return frontier
    }

    @Test("The root of a tree is RFC 6962's, whatever its size", arguments: 0...8)
    func root(_ size: Int) {
        #expect(HexText.of(frontier(size).root) == Self.roots[size])
        #expect(frontier(size).size == size)
    }

    @Test("A leaf is no node: the same bytes hash apart")
    func domains() {
        let (left, right) = (MerkleTree.leaf([1]), MerkleTree.leaf([2]))
        #expect(MerkleTree.leaf(left + right) != MerkleTree.node(left, right))
    }

    @Test("Every leaf of every size is proven by the roots beside its path, and no other leaf is", arguments: 1...40)
    func proofs(_ size: Int) {
        let leaves = (0..<size).map { MerkleTree.leaf([UInt8($0)]) }
        var proofs = MerkleProofs(of: 0..<size, in: size)
        // What is recorded later changes nothing.
        for leaf in leaves + [MerkleTree.leaf([99])] { proofs.append(leaf: leaf) }
        let nodes = Dictionary(uniqueKeysWithValues: proofs.nodes.map { ($0.leaves, $0.root) })
        func root(_ leaf: [UInt8], at index: Int) -> [UInt8] {
            var (hash, here) = (leaf, index..<index + 1)
            for beside in MerkleTree.siblings(of: index, in: size) {
                let isLeft = beside.lowerBound < here.lowerBound
                #expect(isLeft ? beside.upperBound == here.lowerBound : beside.lowerBound == here.upperBound)
                let other = nodes[beside] ?? []
                hash = isLeft ? MerkleTree.node(other, hash) : MerkleTree.node(hash, other)
                here = min(here.lowerBound, beside.lowerBound)..<max(here.upperBound, beside.upperBound)
            }
            return hash
        }
        for index in 0..<size {
            #expect(root(leaves[index], at: index) == proofs.root)
            #expect(root(MerkleTree.leaf([0xFF]), at: index) != proofs.root)
        }
    }

    @Test("Proofs of some leaves hold no more than those need")
    func some() {
        var proofs = MerkleProofs(of: [5], in: 8)
        for index in 0..<8 { proofs.append(leaf: MerkleTree.leaf([UInt8(index)])) }
        #expect(proofs.nodes.map(\.leaves) == [0..<4, 4..<5, 6..<8])
    }

    @Test("Ed25519: RFC 8032's first and second test")
    func signatures() throws {
        for (seed, key, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ] {
            let made = try #require(Ed25519(seed: HexText.bytes(seed)!))
            #expect(HexText.of(made.publicKey) == key)
            #expect(HexText.of(made.sign(HexText.bytes(message)!)) == signature)
            let (bytes, known) = (HexText.bytes(signature)!, HexText.bytes(key)!)
            #expect(Ed25519.verify(bytes, of: HexText.bytes(message)!, by: known))
            #expect(!Ed25519.verify(bytes, of: [1], by: known))
        }
        #expect(Ed25519(seed: [1, 2]) == nil)
    }

    @Test("A note is text, an empty line, and a line with name, key id and signature")
    func note() throws {
        let key = NoteKey(name: "example.com/log", try #require(Ed25519(seed: Array(repeating: 7, count: 32))))
        let note = key.sign("example.com/log\n1\nAAAA\n")
        // Computed with Python's hashlib and base64, and signed with openssl pkeyutl.
        #expect(key.verifierKey == "example.com/log+702f3c70+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs")
        #expect(
            note
                == "example.com/log\n1\nAAAA\n\n\u{2014} example.com/log cC88cOX1dsUACUsqBKydRCtvPIpbPX0RBXdIM7cSv0HR06SQsHz0QhgO+bUsYrD4JudlE0wkux2MDN0Sh74Gm4oujgc=\n"
        )
        #expect(key.verified(note) == "example.com/log\n1\nAAAA\n")
        #expect(key.verified(note.replacing("1\n", with: "2\n")) == nil)
        #expect(key.verified("no note") == nil)
    }

    @Test("Base64 is RFC 4648's")
    func base64() {
        for (plain, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(Base64.text(Array(plain.utf8)) == text)
        }
        #expect(Base64.text([0xFF, 0xFE, 0xFD]) == "//79")
    }
}
