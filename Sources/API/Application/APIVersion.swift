/// The version of this build.
package enum APIVersion {
    package static let text = "0.1.0"
}
