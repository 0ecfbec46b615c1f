internal import Foundation

/// Everything for a person goes to standard error; standard output is for machines.
///
/// What can't be written, such as to a log on a full disk, is left out: a run goes on without its words.
package func printError(_ text: String, terminator: String = "\n") {
    try? FileHandle.standardError.write(contentsOf: Data((text + terminator).utf8))
}
