import JSON
import Testing

@testable import Shared

struct IdentifierTests {
    private let zero = [UInt8](repeating: 0, count: 10)
    private let ones = [UInt8](repeating: 255, count: 10)

    @Test("A ULID has 26 characters of Crockford base32, its time first")
    func ulidShape() {
        #expect(ULID.text(milliseconds: 0, random: zero) == "00000000000000000000000000")
        #expect(ULID.text(milliseconds: 0, random: ones) == "0000000000ZZZZZZZZZZZZZZZZ")
        // The example of the specification: 01ARYZ6S41 is 1469918176385.
        #expect(ULID.text(milliseconds: 1_469_918_176_385, random: zero).prefix(10) == "01ARYZ6S41")
        #expect(ULID.text(milliseconds: (1 << 48) - 1, random: ones) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
        #expect(ULID.text(milliseconds: -5, random: zero) == "00000000000000000000000000")
    }

    @Test("Each random bit of a ULID counts, once")
    func ulidBits() {
        var seen: Set<String> = [ULID.text(milliseconds: 7, random: zero)]
        for bit in 0..<80 {
            var random = zero
            random[bit / 8] = 1 << UInt8(bit % 8)
            seen.insert(ULID.text(milliseconds: 7, random: random))
        }
        #expect(seen.count == 81)
        #expect(seen.allSatisfy { $0.utf8.count == 26 && $0.hasPrefix("0000000007") })
    }

    @Test("What was made later sorts later, whatever the random bytes say")
    func order() {
        var generator = SeededGenerator(seed: 11)
        func random() -> [UInt8] { (0..<10).map { _ in UInt8.random(in: 0...255, using: &generator) } }
        var milliseconds: Int64 = 0
        var before = (ulid: "", uuid: "")
        for _ in 0..<2_000 {
            milliseconds +=
                Int64.random(in: 1...100_000_000_000, using: &generator) % (milliseconds < 1 << 46 ? .max : 2) + 1
            guard milliseconds < 1 << 48 else { break }
            let next = (
                ulid: RunID(at: Timestamp(milliseconds: milliseconds), random: random()).rawValue,
                uuid: UUIDText.version7(milliseconds: milliseconds, random: random())
            )
            #expect(next.ulid > before.ulid && next.uuid > before.uuid)
            before = next
        }
    }

    @Test("An identifier shows its kind")
    func prefixes() {
        let time = Timestamp(milliseconds: 1_469_918_176_385)
        func check<Kind>(_ id: Identifier<Kind>, _ prefix: String) {
            #expect(id.rawValue == "\(prefix)01ARYZ6S410000000000000000")
        }
        check(RoomID(at: time, random: zero), "room_")
        check(ThreadID(at: time, random: zero), "th_")
        check(RunID(at: time, random: zero), "run_")
        check(StepID(at: time, random: zero), "step_")
        check(ToolCallID(at: time, random: zero), "tc_")
        check(ArtifactID(at: time, random: zero), "art_")
        check(ApprovalID(at: time, random: zero), "appr_")
        check(AttemptID(at: time, random: zero), "rat_")
        check(EngineID(at: time, random: zero), "eng_")
        check(EngineTokenID(at: time, random: zero), "engtok_")
    }

    @Test("An identifier is plain text in JSON")
    func json() throws {
        let id: RunID = "run_1"
        #expect(String(decoding: try JSON.encode(["a": id]), as: UTF8.self) == #"{"a":"run_1"}"#)
        #expect(try JSON.decode([RunID].self, from: Array(#"["run_1"]"#.utf8)) == [id])
    }

    @Test("A UUID has its version and variant where RFC 9562 wants them")
    func uuids() {
        // RFC 9562, A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F is 1645557742000.
        let random = Hex.bytes("0cc318c4dc0c0c07398f")!
        #expect(
            UUIDText.version7(milliseconds: 1_645_557_742_000, random: random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
        )
        #expect(UUIDText.version7(milliseconds: 0, random: ones) == "00000000-0000-7fff-bfff-ffffffffffff")
        #expect(UUIDText.version4(random: [UInt8](repeating: 255, count: 16)) == "ffffffff-ffff-4fff-bfff-ffffffffffff")
        #expect(UUIDText.version4(random: [UInt8](repeating: 0, count: 16)) == "00000000-0000-4000-8000-000000000000")
    }

    @Test("Hexadecimal goes both ways, and other text is nil")
    func hex() {
        let all = Array(UInt8.min...UInt8.max)
        #expect(Hex.bytes(Hex.text(all)) == all)
        #expect(Hex.bytes("00fFA0") == [0, 255, 160])
        #expect(Hex.bytes("") == [])
        for text in ["0", "0g", "é", "00 ", "0x00"] { #expect(Hex.bytes(text) == nil) }
    }

    @Test(
        "Base64 for URLs follows RFC 4648",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(_ text: String, _ encoded: String) {
        #expect(Base64URL.text(Array(text.utf8)) == encoded)
        #expect(Base64URL.text([0xFB, 0xEF, 0xFF]) == "--__")
    }
}
