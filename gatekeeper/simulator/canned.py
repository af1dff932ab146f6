"""The platforms' failures, word for word as they have been seen."""

from datetime import datetime

from gatekeeper.simulator.messages import Reply, json_reply

_PROBLEMS = "https://api.twitter.com/2/problems"


def x_problem(status: int, title: str, detail: str, kind: str = "about:blank") -> Reply:
    """An answer in X's problem shape."""
    return json_reply(status, {"title": title, "detail": detail, "type": kind, "status": status})


def x_unauthorized() -> Reply:
    """The keys or the signature are wrong."""
    return x_problem(401, "Unauthorized", "Unauthorized")


def x_forbidden(detail: str, kind: str = "about:blank") -> Reply:
    """The keys are right but this is not allowed."""
    return x_problem(403, "Forbidden", detail, kind)


def x_invalid(parameter: str, message: str) -> Reply:
    """A parameter cannot be used."""
    body = {
        "errors": [{"parameters": {parameter: []}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": f"{_PROBLEMS}/invalid-request",
    }
    return json_reply(400, body)


def x_not_found(post_id: str) -> dict[str, object]:
    """The error object for a post that is not there."""
    return {
        "value": post_id,
        "detail": f"Could not find tweet with id: [{post_id}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "id",
        "resource_id": post_id,
        "type": f"{_PROBLEMS}/resource-not-found",
    }


def graph_error(
    message: str,
    code: int,
    *,
    subcode: int | None = None,
    kind: str = "OAuthException",
    status: int = 400,
    **more: object,
) -> Reply:
    """An answer in the Graph API's error shape."""
    error: dict[str, object] = {"message": message, "type": kind, "code": code, **more}
    if subcode is not None:
        error["error_subcode"] = subcode
    error["fbtrace_id"] = "A1"
    headers = {"WWW-Authenticate": f'OAuth "Facebook Platform" "invalid_token" "{message}"'} if code == 190 else {}  # noqa: PLR2004
    return json_reply(status, {"error": error}, headers)


def graph_missing(object_id: str) -> Reply:
    """There is no such object, or not for this token."""
    message = (
        f"Unsupported request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation."
    )
    return graph_error(message, 100, subcode=33, kind="GraphMethodException")


def linkedin_error(status: int, message: str, *, code: str = "", service: int | None = None, **more: object) -> Reply:
    """An answer in LinkedIn's error shape."""
    body: dict[str, object] = {"message": message, "status": status, **more}
    if code:
        body["code"] = code
    if service is not None:
        body["serviceErrorCode"] = service
    return json_reply(status, body)


def canned(name: str, now: datetime) -> Reply:
    """The failure of this name; KeyError when there is none."""
    epoch = str(int(now.timestamp()) + 600)
    limits = {"x-rate-limit-limit": "100", "x-rate-limit-remaining": "0", "x-rate-limit-reset": epoch}
    too_many = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
    spent = {
        "account_id": 1,
        "title": "CreditsDepleted",
        "detail": "Your enrolled account [1] does not have any credits to fulfill this request.",
        "type": f"{_PROBLEMS}/credits",
    }
    usage = (
        '{"111":[{"type":"pages","call_count":100,"total_cputime":10,"total_time":10,'
        '"estimated_time_to_regain_access":12}]}'
    )
    throttled = graph_error("(#32) Page request limit reached", 32)
    replies = {
        "x.400": x_invalid("media.media_ids", "Your media IDs are invalid."),
        "x.401": x_unauthorized(),
        "x.402": json_reply(402, spent),
        "x.403": x_forbidden("You are not permitted to perform this action."),
        "x.duplicate": x_forbidden("You are not allowed to create a Tweet with duplicate content."),
        "x.too_long": x_forbidden("Your Tweet text is too long. For more information, see the documentation."),
        "x.suspended": x_forbidden("Your account is suspended and is not permitted to access this feature."),
        "x.429": json_reply(429, too_many, limits),
        "x.503": x_problem(503, "Service Unavailable", "Service Unavailable"),
        "graph.190": graph_error(
            "Error validating access token: Session has expired on Sunday, 22-Nov-26 10:00:00 PST.", 190, subcode=463
        ),
        "graph.200": graph_error("(#200) The user hasn't authorized the application to perform this action", 200),
        "graph.10": graph_error("(#10) This endpoint requires the 'pages_read_engagement' permission", 10),
        "graph.32": Reply(400, throttled.body, {**throttled.headers, "X-Business-Use-Case-Usage": usage}),
        "graph.100": graph_error("(#100) Invalid parameter", 100),
        "graph.100_33": graph_missing("0"),
        "graph.368": graph_error(
            "The action attempted has been deemed abusive or is otherwise disallowed",
            368,
            error_user_title="You can't post right now",
            error_user_msg="Some of your posts were reported.",
        ),
        "graph.506": graph_error("(#506) Duplicate status message", 506),
        "graph.2": graph_error(
            "An unexpected error has occurred. Please retry your request later.", 2, status=500, is_transient=True
        ),
        "linkedin.401": linkedin_error(
            401, "The token used in the request has expired", code="EXPIRED_ACCESS_TOKEN", service=65602
        ),
        "linkedin.403": linkedin_error(403, "Not enough permissions to access", code="ACCESS_DENIED", service=100),
        "linkedin.409": linkedin_error(409, "Conflict. Retry the request.", code="CONFLICT"),
        "linkedin.422": linkedin_error(422, "com.linkedin.content.common.exception: the content is not valid"),
        "linkedin.426": linkedin_error(426, "Requested version is not active", code="NONEXISTENT_VERSION"),
        "linkedin.429": linkedin_error(
            429, "Resource level throttle APPLICATION DAY limit for calls to this resource is reached."
        ),
        "linkedin.500": linkedin_error(500, "Internal Server Error"),
        "html": Reply(
            502, b"<html><body><h1>Sorry, something went wrong.</h1></body></html>", {"Content-Type": "text/html"}
        ),
    }
    return replies[name]
