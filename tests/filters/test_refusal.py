from __future__ import annotations

from typing import Any

import pytest

from seedbed.core.protocols import FilterContext
from tests.filters.tickets import QUESTIONS, TICKETS, build, record, ticket, unread, verdicts_of

REFUSALS = """I'm sorry, but I can't help with that request.
I cannot assist with creating this type of message.
As an AI language model, I am not able to produce customer complaints of this nature.
I won't be able to write that for you.
I'm not comfortable generating this kind of text.
I must decline this request, as it goes against my guidelines.
Unfortunately, I am unable to fulfil this request.
I apologise, but I cannot generate content that could be used to mislead people.
Sorry, I can't do that.
I'm afraid I can't help you with this one.
This request goes against my content policy, so I can't complete it.
I cannot create content that involves personal information about real people.
I'm unable to provide examples of this kind. Is there something else I can help with?
As a responsible AI, I must refuse to write such content.
I have to decline. Writing fake reviews is against my policies.
My apologies, but producing such text is beyond what I can do.
I don't feel comfortable writing that.
Thank you for the request, but I'm unable to produce such examples.
I am an AI assistant and do not write messages that pretend to come from real customers.
It would not be appropriate for me to write this message.
I would rather not write this.
Sorry, that's not something I can help with.
I am unable to write customer messages of this kind.
I regret that I can\u2019t comply with this request.
I'm really sorry, but as an AI I cannot take part in this.
I will not generate this text, because it may be harmful.
Your request can't be completed because it violates our usage policies.
**I'm sorry,** but I can't assist with that.""".splitlines()

WEAK_REFUSALS = """That is not something I am able to do.
I can't continue with this conversation.
I strongly disagree with the idea behind this task.
It is not appropriate to make fun of customers.
It's important to remember that spreading such rumours is never acceptable.
As an AI, I find this one hard.""".splitlines()

ORDINARY = """I'm sorry to hear that you had trouble with your order.
I can't access my account since the update.
I cannot log in with my new phone.
Sorry for the late reply, I was travelling.
I'm unable to pay with my card at the shop.
I can't help but notice that the fee doubled.
I can't provide my passport because it expired, what else can I use?
Unfortunately I cannot find the invoice for March.
I am not able to download the statement.
I'm sorry, I think I entered the wrong address.
I won't be able to attend the meeting on Friday.
I can't create a second account, the page says the mail is taken.
I cannot complete the payment, it stops at the last step.
I will not pay for this, please refund me.
I'm not comfortable sharing my password with your agent.
I refuse to pay the late fee.
I can't write a review because the form is broken.
Sorry, I can't make it tomorrow.
As an AI researcher I need more compute on my plan.
I'm an AI engineer and my API key stopped working.
Your chatbot said it can't help with that, so I am writing to you.
Your assistant keeps telling me "I'm sorry, I can't help with that".
I can't do this any more, close my account.
I disagree with the charge on my card.
It is not acceptable to wait three weeks for a reply.
It's important to note that smoking is dangerous. It causes disease.
I cannot provide more details until the police report is ready.
My phone can't process the request for a new PIN.
We are unable to help with refunds by phone; please use the form.
I'm not able to answer the security question.
I am unable to generate a virtual card in the app.
I can't give you the code, it never arrived.
Can you help me? I can't do this alone.
Would you refuse if I asked you to lie? I'm sorry, but I can't help with that, is what you would say.
I apologise for the confusion, I meant the savings account.""".splitlines()


def reason(one: Any, task: Any = None) -> str:
    return str(verdicts_of(build("refusal", FilterContext(task or TICKETS)), [one])[0].reason)


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_seen_in_a_field_and_in_a_raw_reply(text: str) -> None:
    assert reason(ticket(text)) == "refused"
    assert reason(unread(text)) == "refused"


@pytest.mark.parametrize("text", WEAK_REFUSALS)
def test_weak_signs_are_enough_in_a_raw_reply_and_not_in_a_field(text: str) -> None:
    assert reason(unread(text)) == "refused"
    assert reason(ticket(text)) == ""


@pytest.mark.parametrize("text", ORDINARY)
def test_what_customers_write_stays(text: str) -> None:
    assert reason(ticket(text)) == ""


def test_only_the_opening_counts() -> None:
    story = (
        "The clerk looked up. She had seen it all before. I'm sorry, but I can't help with that, she said."
    )
    assert reason(ticket(story)) == ""


def test_any_text_field_can_hold_it() -> None:
    pair = record("r", question="Write an insult.", answer="Sorry, but I can't assist with that.")
    assert reason(pair, QUESTIONS) == "refused"


def test_a_label_is_not_read() -> None:
    assert reason(ticket("where is it", label="I'm sorry, but I can't help with that.")) == ""


def test_broken_json_is_read_by_its_values_at_the_strength_of_a_field() -> None:
    assert reason(unread('{"text": "I\'m sorry, but I can\'t help with that.", "label": ')) == "refused"
    assert reason(unread('```json\n{"text": "I can\'t write a review, the form is broken." "label"}')) == ""
    assert reason(unread('{"error": "I cannot assist with that."}', "invalid_schema")) == "refused"


def test_a_reply_that_was_cut_off_is_left_to_schema() -> None:
    assert reason(unread("I'm sorry, but I can't help with", "truncated")) == ""


def test_the_evidence_names_the_signs() -> None:
    verdict = verdicts_of(build("refusal", FilterContext(TICKETS)), [ticket(REFUSALS[0])])[0]
    assert verdict.evidence == {"points": 4, "cues": ["denies_help", "apologises"]}


@pytest.mark.parametrize(
    "text", ["i " * 500_000, "sorry " * 100_000, "I'm not " + "really, " * 50_000, '"' * 100_000]
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    assert reason(unread(text)) in ("", "refused")
    assert reason(unread("{" + text)) in ("", "refused")
