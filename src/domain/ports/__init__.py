"""What the domain asks of the world. Each docstring is a contract that the tests of every adapter hold it to."""

from __future__ import annotations

from domain.ports.email import DeliveryReport as DeliveryReport
from domain.ports.email import EmailNotRendered as EmailNotRendered
from domain.ports.email import EmailTemplates as EmailTemplates
from domain.ports.email import Mailer as Mailer
from domain.ports.email import MailNotSent as MailNotSent
from domain.ports.email import MailRefused as MailRefused
from domain.ports.email import MailReports as MailReports
from domain.ports.email import MailSentBefore as MailSentBefore
from domain.ports.email import MailUnknown as MailUnknown
from domain.ports.email import OtherReport as OtherReport
from domain.ports.email import TemplateMistake as TemplateMistake
from domain.ports.goods import Blob as Blob
from domain.ports.goods import Catalogue as Catalogue
from domain.ports.goods import FileAt as FileAt
from domain.ports.goods import Goods as Goods
from domain.ports.goods import GoodsUnavailable as GoodsUnavailable
from domain.ports.goods import OpenFile as OpenFile
from domain.ports.payments import CheckoutEvent as CheckoutEvent
from domain.ports.payments import CheckoutOffer as CheckoutOffer
from domain.ports.payments import FactEvent as FactEvent
from domain.ports.payments import IgnoredEvent as IgnoredEvent
from domain.ports.payments import InvalidWebhook as InvalidWebhook
from domain.ports.payments import PaymentChangedEvent as PaymentChangedEvent
from domain.ports.payments import PaymentDetails as PaymentDetails
from domain.ports.payments import PaymentPage as PaymentPage
from domain.ports.payments import Payments as Payments
from domain.ports.payments import PaymentsFailed as PaymentsFailed
from domain.ports.payments import PaymentsRefused as PaymentsRefused
from domain.ports.payments import PaymentsUnreachable as PaymentsUnreachable
from domain.ports.payments import PromotionRefused as PromotionRefused
from domain.ports.payments import ProviderPayment as ProviderPayment
from domain.ports.payments import TaxLine as TaxLine
from domain.ports.payments import WebhookEvent as WebhookEvent
from domain.ports.sharing import ShareCard as ShareCard
from domain.ports.sharing import SharePainter as SharePainter
from domain.ports.sharing import SharePicture as SharePicture
from domain.ports.world import Clock as Clock
from domain.ports.world import ProviderSaid as ProviderSaid
from domain.ports.world import Randomness as Randomness
from domain.ports.world import Store as Store
from domain.ports.world import StoreBusy as StoreBusy
from domain.ports.world import StoreFigures as StoreFigures
from domain.ports.world import StoreUnavailable as StoreUnavailable
