"""The author's lists, the form of a post, and its page."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from gatekeeper.errors import BadInput, Conflict
from gatekeeper.people.staff import Role
from gatekeeper.policy import limits
from gatekeeper.posts.status import PostState
from gatekeeper.posts.wordings import typed_for_one
from gatekeeper.text.weight import CONFIG
from gatekeeper.web.access import person, roles, services, signed_in
from gatekeeper.web.forms_post import PostForm, post_form
from gatekeeper.web.post_page import Trouble, post_page
from gatekeeper.web.replies import keep_replies
from gatekeeper.web.views.policy import read_first
from gatekeeper.workflow import policy_editions, resolve, submit
from gatekeeper.workflow import stop as stopping
from gatekeeper.workflow.asked_changes import asked_now
from gatekeeper.workflow.draft_view import ChannelChoice, DraftView, channel_choices, draft_view
from gatekeeper.workflow.policy_gate import PolicyUnread, has_read
from gatekeeper.workflow.post_list import lists_for
from gatekeeper.workflow.post_view import progress_of
from gatekeeper.workflow.readiness import measure_of, text_counts

bp = Blueprint("posts", __name__)

AUTHORS: Final = tuple(role for role in Role if role is not Role.AUDITOR)
_COMMON_AGAIN: Final = re.compile(r"common-(\d{1,9})")
_REFUSED: Final = "refused"  # where what is wrong with a new post waits for the page that shows it
_NOTHING_YET: Final = "There is nothing to keep or to send yet. Write something, choose a channel or add a photo."
_PHOTO_ACTION: Final = re.compile(r"(remove|earlier|later)-(\d{1,9})")


@bp.get("/")
@signed_in
def index() -> str:
    """What waits for the reader, and everything else they have to do with."""
    member = person()
    with services().db.read() as db:
        lists = lists_for(db, member)
    return render_template("web/posts/index.html", lists=lists, writes=Role(member.role) in AUTHORS)


@bp.route("/posts/new", methods=["GET", "POST"])
@roles(*AUTHORS)
def new() -> str | Response | tuple[str, int]:
    """The empty form; whatever is first done with it makes the draft. Before the first one the policy is read."""
    if request.method == "GET":
        with services().db.read() as db:
            may_begin = has_read(db, person().id)
        return _form_page(post_form(None, channel_choices(services()), fill=True), None) if may_begin else read_first()
    if (edition := request.form.get("edition", type=int)) is not None:  # the button of the page to read first
        policy_editions.acknowledge(services(), edition, by=person().id)
    form = post_form(None, channel_choices(services()), fill=False)
    _common_again(form)
    if _is_blank(form):
        form.refuse({"text": _NOTHING_YET})
        return _form_page(form, None), 422
    try:
        post_id = submit.create_draft(services(), person().id, form.edit(()))
    except PolicyUnread:
        left_out = ("csrf_token", "edition", "begun")
        kept = {name: values for name, values in request.form.lists() if name not in left_out}
        return read_first(kept=kept), 409
    except BadInput as refused:
        form.refuse(refused.fields, str(refused))
        return _form_page(form, None), 422
    return _then(post_id)


@bp.route("/posts/<int:post_id>/edit", methods=["GET", "POST"])
@roles(*AUTHORS)
def edit(post_id: int) -> str | Response | tuple[str, int]:
    """The form of a post that is there. Every button saves first; nothing typed is lost by an error."""
    draft = draft_view(services(), post_id, person().id)
    if request.method == "GET":
        if draft.held or draft.over:
            flash("This post has been sent. Take it back first if you want to change it.", "warning")
            return redirect(url_for("posts.show", post_id=post_id), code=303)
        form = post_form(draft, channel_choices(services()), fill=True)
        told = session.pop(_REFUSED, {})
        if told.get("post") == post_id:
            form.refuse(told["fields"], told["sentence"])
        return _form_page(form, draft)
    form = post_form(draft, channel_choices(services()), fill=False)
    _common_again(form)
    try:
        submit.save_draft(services(), post_id, person().id, form.edit(draft.photos))
        keep_replies(post_id)
    except BadInput as refused:
        form.refuse(refused.fields, str(refused))
        return _form_page(form, draft), 422
    except Conflict as refused:
        form.refuse({}, str(refused))
        form.revision.data = str(draft.revision)
        form.take_back.data = "yes" if draft.held else ""
        return _form_page(form, draft), 409
    return _then(post_id)


@bp.post("/posts/<int:post_id>/autosave")
@roles(*AUTHORS)
def autosave(post_id: int) -> tuple[Response, int] | Response:
    """Keep what is typed so far, for the form's script; answers with the counts as the server makes them."""
    draft = draft_view(services(), post_id, person().id)
    form = post_form(draft, channel_choices(services()), fill=False)
    try:
        revision = submit.save_draft(services(), post_id, person().id, form.edit(draft.photos))
        keep_replies(post_id)
    except (BadInput, Conflict) as refused:
        return jsonify(error=str(refused)), 409 if isinstance(refused, Conflict) else 422
    counts = text_counts((form.text.data or "").replace("\r\n", "\n"), list(limits.LIMITS))
    return jsonify(revision=revision, counts=counts, doubled=form.is_doubled)


@bp.post("/posts/<int:post_id>/photos")
@roles(*AUTHORS)
def add_photo(post_id: int) -> tuple[Response, int]:
    """Take in one photo for the form's script; answers with the photo's part of the form."""
    file = request.files.get("photo")
    if file is None or not file.filename:
        return jsonify(error="No photo arrived. Please choose it again."), 422
    try:
        photo_id = submit.add_photo(services(), post_id, person().id, data=file.read(), file_name=file.filename)
    except (BadInput, Conflict) as refused:
        return jsonify(error=str(refused)), 409 if isinstance(refused, Conflict) else 422
    draft = draft_view(services(), post_id, person().id)
    form = post_form(draft, (), fill=True)
    photo = next(one for one in draft.photos if one.id == photo_id)
    card = render_template("web/posts/photo_card.html", form=form, photo=photo, draft=draft, max_alt=limits.MAX_ALT)
    return jsonify(revision=draft.revision, card=card, number=photo.number), 201


@bp.get("/posts/<int:post_id>")
@signed_in
def show(post_id: int) -> str | tuple[str, int]:
    """One post: where it is, whose turn it is, and what is open."""
    return post_page(post_id)


@bp.get("/posts/<int:post_id>/progress")
@signed_in
def progress(post_id: int) -> Response:
    """Where the post is at this moment, for the page's script."""
    told = progress_of(services(), post_id, person())
    return jsonify(state=told.state, word=told.word, sign=told.sign, words=told.words, moving=told.moving)


@bp.post("/posts/<int:post_id>/submit")
@roles(*AUTHORS)
def check(post_id: int) -> Response:
    """Send it for checking as it stands."""
    try:
        submit.submit(services(), post_id, person().id)
    except PolicyUnread as unread:
        return _read_first(post_id, unread)
    except BadInput as refused:
        flash(f"{refused} {' '.join(refused.fields.values())}", "danger")
        return redirect(url_for("posts.edit", post_id=post_id), code=303)
    return _to(post_id)


@bp.post("/posts/<int:post_id>/send")
@roles(*AUTHORS)
def send(post_id: int) -> Response | tuple[str, int] | str:
    """Ask the headteacher."""
    try:
        resolve.send_to_head(services(), post_id, by=person().id)
    except PolicyUnread as unread:
        return _read_first(post_id, unread)
    except BadInput as refused:
        sentences = tuple(refused.fields.values()) or (str(refused),)
        return post_page(post_id, trouble=Trouble("send", sentences), status=422)
    flash("The headteacher is being written to.", "success")
    return _to(post_id)


@bp.post("/posts/<int:post_id>/withdraw")
@roles(*AUTHORS)
def withdraw(post_id: int) -> Response:
    """Take it out of the way."""
    submit.withdraw(services(), post_id, person().id)
    flash("Withdrawn. Nothing of it will be published.", "success")
    return _to(post_id)


@bp.post("/posts/<int:post_id>/stop")
@signed_in
def stop(post_id: int) -> Response:
    """Stop an approved post before its time; the step asks whether this person may."""
    state = stopping.stop(services(), post_id, by=person().id)
    whole = state is PostState.WITHDRAWN
    flash("Stopped. Nothing of it will be published." if whole else "Stopped where it had not begun yet.", "success")
    return _to(post_id)


@bp.post("/posts/<int:post_id>/reopen")
@roles(*AUTHORS)
def reopen(post_id: int) -> Response:
    """Take it back, to change it."""
    submit.reopen(services(), post_id, person().id)
    flash("It is a draft again. What was asked or approved before no longer counts.", "success")
    return redirect(url_for("posts.edit", post_id=post_id), code=303)


@bp.post("/posts/<int:post_id>/use-again")
@roles(*AUTHORS)
def use_again(post_id: int) -> Response:
    """A new draft with the same words and photos."""
    try:
        copy = submit.use_again(services(), post_id, person().id)
    except PolicyUnread as unread:
        return _read_first(post_id, unread)
    except Conflict as refused:  # frozen meanwhile, in another window
        flash(str(refused), "warning")
        return _to(post_id)
    flash("This is a new draft with the same words and photos. Choose its time.", "success")
    return redirect(url_for("posts.edit", post_id=copy), code=303)


def _then(post_id: int) -> Response | tuple[str, int]:
    """What the pressed button asks for, once everything typed is saved."""
    member, action = person().id, request.form.get("do", "save")
    files = [file for file in request.files.getlist("photo") if file.filename]
    try:
        for file in files:
            _take_in(post_id, member, file)
        if found := _PHOTO_ACTION.fullmatch(action):
            return _change_photo(post_id, member, found[1], int(found[2]))
        if action == "submit":
            submit.submit(services(), post_id, member)
        if action in ("submit", "ask-first"):
            return (
                _to(post_id) if action == "submit" else redirect(url_for("cases.ask_first", post_id=post_id), code=303)
            )
    except PolicyUnread as unread:
        return _read_first(post_id, unread)
    except (BadInput, Conflict) as refused:
        fields = refused.fields if isinstance(refused, BadInput) else {}
        return _refused(post_id, fields, str(refused), status=409 if isinstance(refused, Conflict) else 422)
    if action == "add-photo" and not files:
        return _refused(post_id, {"photo": "Choose a photo first, then press “Add this photo”."})
    flash("The photo was added, and the draft is saved." if files else "The draft is saved.", "success")
    anchor = "photos" if files else None
    return redirect(url_for("posts.edit", post_id=post_id, _anchor=anchor), code=303)


def _refused(
    post_id: int, fields: Mapping[str, str], sentence: str = "", *, status: int = 422
) -> Response | tuple[str, int]:
    """The form with what is wrong, always at the draft's own address: a reload of it must not begin another draft."""
    if request.endpoint == "posts.new":
        session[_REFUSED] = {"post": post_id, "fields": dict(fields), "sentence": sentence}
        return redirect(url_for("posts.edit", post_id=post_id), code=303)
    draft = draft_view(services(), post_id, person().id)
    form = post_form(draft, channel_choices(services()), fill=True)
    form.refuse(fields, sentence)
    return _form_page(form, draft), status


def _is_blank(form: PostForm) -> bool:
    """Whether nothing at all was put into a new form. A script that has a photo to send begins a draft even so."""
    typed = (form.title.data, form.text.data, form.due_date.data, form.due_time.data, *form.wordings.values())
    something = any((words or "").strip() for words in typed) or form.channels.data
    photo = any(file.filename for file in request.files.getlist("photo"))
    return not something and not photo and request.form.get("do") != "begin"


def _common_again(form: PostForm) -> None:
    """Empty the own words of the channel whose button says that it gets the common text again."""
    found = _COMMON_AGAIN.fullmatch(request.form.get("do", ""))
    if found and (name := f"wording_{found[1]}") in form:
        form[name].data = ""


def _take_in(post_id: int, member: int, file: FileStorage) -> None:
    submit.add_photo(services(), post_id, member, data=file.read(), file_name=file.filename or "")


def _change_photo(post_id: int, member: int, what: str, photo_id: int) -> Response:
    if what == "remove":
        submit.remove_photo(services(), photo_id, member)
        flash("The photo was taken out.", "success")
    else:
        submit.move_photo(services(), photo_id, member, later=what == "later")
    return redirect(url_for("posts.edit", post_id=post_id, _anchor="photos"), code=303)


def _read_first(post_id: int, unread: PolicyUnread) -> Response:
    """To the policy's page, whose button leads back to the post. Everything typed is saved by now."""
    flash(f"{unread} Your draft is kept.", "warning")
    return redirect(url_for("policy.index", post=post_id), code=303)


def _to(post_id: int) -> Response:
    return redirect(url_for("posts.show", post_id=post_id), code=303)


def _form_page(form: PostForm, draft: DraftView | None) -> str:
    choices = channel_choices(services())
    text = (form.text.data or "").replace("\r\n", "\n")
    known = {choice.kind for choice in choices}  # a platform where the school has no account is not worth a line
    shown = {kind: limit for kind, limit in limits.LIMITS.items() if kind in known or not known}
    chosen = {choice.id: choice.kind for choice in choices if choice.id in (form.channels.data or ())}
    own = typed_for_one(text, form.wordings, chosen)
    common = {kind for account, kind in chosen.items() if account not in own}
    words: dict[str, Any] = {
        "limits": shown,
        "max_alt": limits.MAX_ALT,
        "max_photos": limits.MAX_PHOTOS,
        "counts": text_counts(text, list(shown)),
        "own": own,
        "own_counts": {choice.id: _own_count(form, choice) for choice in choices},
        "own_kinds": {kind for kind in chosen.values() if kind not in common},
        # for browsers without scripts; elsewhere the check while typing tells the same
        "told": _told(
            [(text, common), *((own[account], {chosen[account]}) for account in own)],
            photos=len(draft.photos) if draft else 0,
        ),
        "weights": CONFIG,  # the script counts by the same figures
    }
    asked = asked_now(services(), draft.id, person().id) if draft else None
    return render_template("web/posts/form.html", form=form, draft=draft, choices=choices, asked=asked, **words)


def _own_count(form: PostForm, choice: ChannelChoice) -> int:
    """How long the own words of a channel are, as it counts them."""
    return text_counts(form.wordings.get(choice.id, ""), [choice.kind]).get(choice.kind, 0)


def _told(texts: Iterable[tuple[str, Iterable[str]]], *, photos: int) -> list[limits.LimitFinding]:
    """What the channels say of each text that goes to them; nothing about a text that is not written yet."""
    measures = [measure_of(words, kinds) for words, kinds in texts if words]
    return [found for measure in measures for found in limits.text_findings(measure, photos=photos)]
