/// A string of a plan whose templates are not resolved yet: what is known of it can be checked already.
struct OpenText {
    /// The text, with a placeholder of one harmless letter for each template.
    let skeleton: String
    let template: Template

    /// Nil when the templates in it cannot be read.
    init?(_ source: String) {
        guard let template = try? Template(parsing: source) else { return nil }
        self.template = template
        skeleton = template.segments.reduce(into: "") { text, segment in
            switch segment {
            case .text(let known): text += known
            case .reference: text += "x"
            }
        }
    }

    /// Whether any of it is still open.
    var isOpen: Bool { !template.references.isEmpty }

    /// Whether all of it is open, its type too.
    var isWhollyOpen: Bool { template.wholeReference != nil }

    /// The known text before the first template.
    var knownHead: String {
        guard case .text(let text)? = template.segments.first else { return "" }
        return text
    }
}
