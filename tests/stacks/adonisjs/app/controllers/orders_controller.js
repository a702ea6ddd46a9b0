const ORDERS = [
  { id: 1, article: 'bolt', quantity: 500 },
  { id: 2, article: 'nut', quantity: 480 },
]

export default class OrdersController {
  async index({ request }) {
    const { subject, serialNumber } = request.request.socket.getPeerCertificate()
    return { orders: ORDERS, caller: { subject, serial: serialNumber } }
  }
}
