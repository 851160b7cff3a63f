// Stands in for httpmime, which only Maven Central has: imported for any form, used for none of ours.
package org.apache.http.entity.mime;

public final class MultipartEntityBuilder {
  private MultipartEntityBuilder() {}
}
