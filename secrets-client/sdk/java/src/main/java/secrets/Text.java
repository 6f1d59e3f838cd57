package secrets;

import io.grpc.Status;

/** Text that came from elsewhere. */
final class Text {
  /** More than the service has to say in one. */
  private static final int MAX_CHARACTERS = 8_192;

  private Text() {}

  /** The same with a description that a terminal shows and does not obey. */
  static Status harmless(Status status) {
    return status.getDescription() == null ? status : status.withDescription(escaped(status.getDescription()));
  }

  /** One line. */
  private static String escaped(String text) {
    var shown = new StringBuilder();
    text.codePoints().limit(MAX_CHARACTERS).forEach(c -> {
      if (Rules.isInvisible(c)) shown.append(String.format("\\u{%x}", c));
      else shown.appendCodePoint(c);
    });
    return shown + (text.codePointCount(0, text.length()) > MAX_CHARACTERS ? "…" : "");
  }
}
