package secrets;

/**
 * An answer of the service that breaks a rule: nothing of it was used. It is the cause of a {@code DATA_LOSS}, {@code
 * error.getStatus().getCause()}.
 */
public final class BrokenRule extends RuntimeException {
  private final String rule;

  BrokenRule(String rule, String sentence) {
    super("the answer of the service breaks a rule, and nothing of it was used: " + sentence, null, false, false);
    this.rule = rule;
  }

  /** Its name in {@code rules.json}. */
  public String rule() {
    return rule;
  }
}
