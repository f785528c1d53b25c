/// A tool that a plan can name. Tools of the form `mcp.<server>.<tool>` come later and are no case of this.
package enum Tool: String, CaseIterable, Codable, Hashable, Sendable {
    case agent
    case approval
    case fileList = "file.list"
    case fileRead = "file.read"
    case fileWrite = "file.write"
    case http
    case message
    case model
    case shell
    case sleep
}
