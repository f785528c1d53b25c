import JSON
import Testing

@testable import Shared

/// What an erasure leaves of a payload.
struct ErasedFormTests {
    @Test("Every event type has an erased form, or a reason why it stays whole")
    func complete() {
        #expect((Array(ErasedForm.texts.keys) + ErasedForm.refusals.keys).sorted() == EventCatalogue.types)
    }

    @Test(
        "What remains is a payload of the same type, and nothing that was said is in it",
        arguments: GoldenEvents.all.map(\.type))
    func remains(_ type: String) throws {
        let event = try #require(GoldenEvents.all.first { $0.type == type })
        let data = try JSON.value(of: AnyPayload(event.payload))
        guard let texts = ErasedForm.texts[type] else {
            #expect(ErasedForm.of(type, data) == nil)
            return
        }
        let remains = try #require(ErasedForm.of(type, data))
        #expect(try EventCatalogue.decode(type, remains)?.type == type)
        for text in texts {
            let (said, left) = (member(text, data), member(text, remains))
            // A sample has all its members: one that it lacks is misspelt in the list.
            #expect(said != nil && said != left, "\(type).\(text)")
            #expect(
                left == nil || [.string(ErasedForm.mark), [], [:], ["type": "none"]].contains(left), "\(type).\(text)")
        }
        // The rest is as it was, and to erase what was erased changes nothing.
        for (key, value) in data.objectValue ?? [:] where !texts.contains(where: { $0.split(separator: ".")[0] == key })
        {
            #expect(remains[key] == value, "\(type).\(key)")
        }
        #expect(ErasedForm.of(type, remains) == remains)
    }

    private func member(_ path: String, _ data: JSONValue) -> JSONValue? {
        path.split(separator: ".").reduce(Optional(data)) { $0?[String($1)] }
    }
}
